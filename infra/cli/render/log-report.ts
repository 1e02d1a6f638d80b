import type { ExportedAnchorVerdict, ExportVerdict } from '../../verify/index.ts';
import { counted, shown } from './text.ts';

const TITLES: Readonly<Record<string, string>> = {
  format: 'form',
  key: 'key',
  checkpoint: 'checkpoint',
  tree: 'tree',
  chain: 'hash chain',
  streams: 'streams',
  consistency: 'consistency',
  anchors: 'anchors',
};

/** Why a step says neither yes nor no, and what would make it. */
const UNDECIDED: Readonly<Record<string, string>> = {
  key: 'not pinned: give --public-key, or the log vouches for itself',
  consistency: 'not asked: give --earlier a checkpoint that you kept',
  anchors: 'none in this part of the log',
};

const WORDS: Readonly<Record<string, string>> = { NOT_EXPECTED: '-', NOT_JUDGED: '-', OK: 'ok' };

/** Anchors that are told one by one, largest last. */
const TOLD = 10;

const anchorLine = ({ size, chain, simulated, block, timestamp }: ExportedAnchorVerdict): string => {
  const at = timestamp === null ? '' : `, ${new Date(Number(timestamp) * 1000).toISOString()}`;
  const label = simulated ? ' (simulated chain: no outsider vouches for it)' : '';
  return `  size ${size}: block ${block} of ${shown(chain)}${at}${label}`;
};

const noteOn = (step: string, code: string, anchors: readonly ExportedAnchorVerdict[]): string => {
  if (code === 'NOT_JUDGED')
    return ` ${anchors.length} there, not judged: give --anchor-block the hash of a block that you know`;
  return code === 'NOT_EXPECTED' ? ` ${UNDECIDED[step] ?? ''}` : '';
};

/** The verdict on a log in words, a line for each step. */
export const logReport = (verdict: ExportVerdict, seconds: number): string[] => {
  const { anchors, claim, events, faults, reasons, root } = verdict;
  const rate = seconds > 0 ? Math.round(events / seconds).toLocaleString('en') : '-';
  return [
    claim
      ? `log          ${counted(events, 'event')}, positions ${claim.from} to ${claim.to} of ${claim.size}`
      : 'log          not an exported log',
    ...(claim ? [`signed by    ${shown(claim.publicKey)}`] : []),
    ...reasons.map(({ step, ok, code }) => {
      const verdictWord = ok ? (WORDS[code] ?? code) : `FAILED (${code})`;
      return `${(TITLES[step] ?? step).padEnd(13)}${verdictWord}${noteOn(step, code, anchors)}`;
    }),
    ...anchors
      .filter(({ status }) => status === 'anchored')
      .slice(-TOLD)
      .map(anchorLine),
    ...(root === null ? [] : [`root         ${root}`]),
    ...faults.map(({ position, code }) => `  position ${position}: ${code}`),
    `${verdict.valid ? 'VERIFIED' : 'NOT VERIFIED'}     in ${seconds.toFixed(2)} s (${rate} events/s)`,
  ];
};

/** The verdict as one JSON object. */
export const logJson = (verdict: ExportVerdict, seconds: number): string => {
  const { anchors, valid, claim, events, faults, reasons, root, chain } = verdict;
  return JSON.stringify({
    valid,
    events,
    from: claim && String(claim.from),
    to: claim && String(claim.to),
    size: claim && String(claim.size),
    public_key: claim?.publicKey ?? null,
    checkpoint: claim?.checkpoint ?? null,
    root,
    chain_hash: chain,
    reasons,
    anchors: anchors.map(({ size, block, timestamp, blockHash, contract, ...anchor }) => ({
      ...anchor,
      size: String(size),
      contract: `0x${contract}`,
      block_hash: `0x${blockHash}`,
      block: block === null ? null : String(block),
      timestamp: timestamp === null ? null : Number(timestamp),
    })),
    faults: faults.map(({ position, code }) => ({ position: String(position), code })),
    seconds,
  });
};
