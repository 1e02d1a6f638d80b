import type { ExportVerdict } from '../../verify/index.ts';
import { counted, shown } from './text.ts';

const TITLES: Readonly<Record<string, string>> = {
  format: 'form',
  key: 'key',
  checkpoint: 'checkpoint',
  tree: 'tree',
  chain: 'hash chain',
  streams: 'streams',
  consistency: 'consistency',
};

const NOT_ASKED: Readonly<Record<string, string>> = {
  key: 'not pinned: give --public-key, or the log vouches for itself',
  consistency: 'not asked: give --earlier a checkpoint that you kept',
};

const WORDS: Readonly<Record<string, string>> = { NOT_EXPECTED: '-', OK: 'ok' };

/** The verdict on a log in words, a line for each step. */
export const logReport = (verdict: ExportVerdict, seconds: number): string[] => {
  const { claim, events, faults, reasons, root } = verdict;
  const rate = seconds > 0 ? Math.round(events / seconds).toLocaleString('en') : '-';
  return [
    claim
      ? `log          ${counted(events, 'event')}, positions ${claim.from} to ${claim.to} of ${claim.size}`
      : 'log          not an exported log',
    ...(claim ? [`signed by    ${shown(claim.publicKey)}`] : []),
    ...reasons.map(({ step, ok, code }) => {
      const verdictWord = ok ? (WORDS[code] ?? code) : `FAILED (${code})`;
      const note = code === 'NOT_EXPECTED' ? ` ${NOT_ASKED[step] ?? ''}` : '';
      return `${(TITLES[step] ?? step).padEnd(13)}${verdictWord}${note}`;
    }),
    ...(root === null ? [] : [`root         ${root}`]),
    ...faults.map(({ position, code }) => `  position ${position}: ${code}`),
    `${verdict.valid ? 'VERIFIED' : 'NOT VERIFIED'}     in ${seconds.toFixed(2)} s (${rate} events/s)`,
  ];
};

/** The verdict as one JSON object. */
export const logJson = (verdict: ExportVerdict, seconds: number): string => {
  const { valid, claim, events, faults, reasons, root, chain } = verdict;
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
    faults: faults.map(({ position, code }) => ({ position: String(position), code })),
    seconds,
  });
};
