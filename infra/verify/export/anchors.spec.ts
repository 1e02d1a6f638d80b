import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { BLOCK, TIMESTAMP } from '../anchor.fixture.ts';
import { type ExportVerdict, type KnownAnchoring, verifyExport } from '../index.ts';
import type { ExportAnchorText } from './anchor-line.ts';
import { anchorOf, exportText, logOf, signer } from './export.fixture.ts';

const LOG = logOf(75);
const [FIRST, MIDDLE, LAST] = [1, 40, 75].map((size) => anchorOf(LOG, size)) as [
  ExportAnchorText,
  ExportAnchorText,
  ExportAnchorText,
];
const ALL = [FIRST, MIDDLE, LAST];

const verify = (text: string, anchoring?: KnownAnchoring): Promise<ExportVerdict> =>
  verifyExport({
    source: utf8ToBytes(text),
    publicKey: signer.publicKey,
    ...(anchoring === undefined ? {} : { anchoring }),
  });

/** The step over all anchors, and what is said of each. */
const judged = async (anchors: readonly ExportAnchorText[], known?: KnownAnchoring, part = {}) => {
  const { valid, reasons, anchors: each } = await verify(exportText(LOG, part, {}, anchors), known);
  const step = reasons.find((reason) => reason.step === 'anchors');
  // Everything else of these exports holds.
  expect(valid).toBe(step?.ok);
  return { step: step?.code, each: each.map(({ status, code }) => (code === 'OK' ? status : code)) };
};
const knows = (...anchors: readonly ExportAnchorText[]): KnownAnchoring => ({
  blocks: anchors.map(({ block_hash }) => block_hash),
});
const altered = (anchor: ExportAnchorText, change: Partial<ExportAnchorText>): ExportAnchorText => ({
  ...anchor,
  ...change,
});

describe('anchors of an export', () => {
  it('hold when the auditor knows their block, which says when the head was there', async () => {
    const { anchors } = await verify(exportText(LOG, {}, {}, ALL), knows(MIDDLE));
    expect(anchors[1]).toEqual({
      status: 'anchored',
      code: 'OK',
      size: 40n,
      chain: 'eip155:31337',
      simulated: true,
      contract: 'c0'.repeat(20),
      blockHash: MIDDLE.block_hash.slice(2),
      block: BLOCK,
      timestamp: TIMESTAMP,
    });
    expect(await judged(ALL, knows(...ALL))).toEqual({ step: 'OK', each: ALL.map(() => 'anchored') });
  });

  it('are told apart from those whose block nobody knows', async () => {
    expect(await judged(ALL)).toEqual({ step: 'NOT_JUDGED', each: ALL.map(() => 'NOT_JUDGED') });
    expect(await judged(ALL, knows(LAST))).toEqual({
      step: 'OK',
      each: ['NOT_JUDGED', 'NOT_JUDGED', 'anchored'],
    });
    expect(await judged([])).toEqual({ step: 'NOT_EXPECTED', each: [] });
  });

  it('take blocks as bytes or as hex, in either case', async () => {
    for (const block of [
      LAST.block_hash.toUpperCase().replace('0X', '0x'),
      LAST.block_hash.slice(2),
      hexToBytes(LAST.block_hash.slice(2)),
    ])
      expect(await judged([LAST], { blocks: [block] })).toEqual({ step: 'OK', each: ['anchored'] });
  });

  it('are missed where a block that the auditor knows holds none', async () => {
    const unknown = { blocks: [`0x${'ab'.repeat(32)}`] };
    expect(await judged(ALL, unknown)).toMatchObject({ step: 'BLOCK_NOT_FOUND' });
    expect(await judged([], knows(LAST))).toMatchObject({ step: 'BLOCK_NOT_FOUND' });
    expect(await judged([], { blocks: ['no hash'] })).toMatchObject({ step: 'BLOCK_NOT_FOUND' });
    expect(await judged(ALL, { blocks: [LAST.block_hash, ...unknown.blocks] })).toMatchObject({
      step: 'BLOCK_NOT_FOUND',
    });
    const bare = altered(LAST, { evidence: null });
    expect(await judged([bare], knows(LAST))).toEqual({ step: 'NO_EVIDENCE', each: ['NO_EVIDENCE'] });
    expect(await judged([bare])).toEqual({ step: 'NOT_JUDGED', each: ['NOT_JUDGED'] });
  });

  it('are of the contract that the auditor names', async () => {
    const contract = LAST.contract.toUpperCase().replace('0X', '0x');
    expect(await judged([LAST], { ...knows(LAST), contract })).toMatchObject({ step: 'OK' });
    expect(await judged([LAST], { ...knows(LAST), contract: new Uint8Array(20) })).toEqual({
      step: 'OTHER_CONTRACT',
      each: ['OTHER_CONTRACT'],
    });
  });

  it('fail where they are of another history, whether their block is known or not', async () => {
    const other = anchorOf(logOf(75, 1), 40);
    for (const known of [undefined, knows(other), knows(LAST)])
      expect(await judged([other, LAST], known)).toMatchObject({ step: 'ROOT_MISMATCH' });
  });

  it('fail where the evidence is not that of the block', async () => {
    const lie = async (change: Partial<ExportAnchorText>) =>
      (await judged([altered(LAST, change)], knows(LAST))).step;
    expect(await lie({ evidence: FIRST.evidence })).toBe('BLOCK_MISMATCH');
    expect(await lie({ contract: `0x${'c1'.repeat(20)}` })).toBe('CONTRACT_MISMATCH');
    // The block holds another size than the line says.
    expect(await lie({ size: '40', root: MIDDLE.root })).toBe('SIZE_MISMATCH');
    const evidence = LAST.evidence as NonNullable<ExportAnchorText['evidence']>;
    expect(await lie({ evidence: { ...evidence, receipt_index: 4 } })).toBe('RECEIPT_NOT_IN_BLOCK');
    expect(await lie({ evidence: { ...evidence, log_index: 0 } })).toBe('EVENT_NOT_FOUND');
    expect(await lie({ evidence: { ...evidence, header: `${evidence.header}00` } })).toBe('BLOCK_MISMATCH');
  });

  it('of a part reach from the tree before it to the end of it, and to the signed one', async () => {
    const part = { from: 31, to: 50 };
    const sizes = [29, 30, 31, 50, 51, 75].map((size) => anchorOf(LOG, size));
    expect(await judged(sizes, knows(...sizes.slice(1, 4), LAST), part)).toEqual({
      step: 'OK',
      each: ['NOT_JUDGED', 'anchored', 'anchored', 'anchored', 'NOT_JUDGED', 'anchored'],
    });
    expect(await judged(sizes, knows(...sizes.slice(0, 2)), part)).toMatchObject({ step: 'NOT_COVERED' });
  });

  it('stand between header and events, in lines of their form', async () => {
    const broken = async (text: string) => (await verify(text)).reasons[0]?.code;
    const [header, ...events] = exportText(LOG).trimEnd().split('\n') as [string, ...string[]];
    const line = JSON.stringify({ anchor: LAST });
    const linesOf = (...lines: readonly string[]) => `${lines.join('\n')}\n`;
    expect(await broken(linesOf(header, line, ...events))).toBe('OK');
    expect(await broken(linesOf(header, ...events, line))).toBe('MALFORMED');
    expect(await broken(linesOf(header, ...events.slice(0, 9), line, ...events.slice(9)))).toBe('MALFORMED');
    expect(await broken(linesOf(line, header, ...events))).toBe('MALFORMED');
    expect(await broken(linesOf(header, line))).toBe('TRUNCATED');
    for (const change of [
      { more: 1 },
      { size: 75 },
      { size: '075' },
      { block_hash: LAST.block_hash.slice(2) },
      { root: LAST.root.toUpperCase() },
      { evidence: { ...LAST.evidence, header: 'abc' } },
      { evidence: { ...LAST.evidence, receipt_path: Array.from({ length: 17 }, () => '00') } },
      { evidence: undefined },
    ])
      expect(
        await broken(linesOf(header, JSON.stringify({ anchor: { ...LAST, ...change } }), ...events)),
      ).toBe('MALFORMED');
    for (let length = 11; length < line.length; length += 37)
      expect(await broken(linesOf(header, line.slice(0, length), ...events))).toBe('MALFORMED');
  });

  it('are not needed: an export of the first version has none', async () => {
    const old = exportText(LOG, {}, { format: 'aivillage-log/1' });
    expect(await verify(old)).toMatchObject({ valid: true, events: 75, anchors: [] });
    const next = exportText(LOG, {}, { format: 'aivillage-log/3' });
    expect((await verify(next)).reasons[0]?.code).toBe('MALFORMED');
  });

  it('are not judged under a signature that does not hold', async () => {
    const text = exportText(LOG, {}, { checkpoint: LOG.checkpoint().replace('aivillage', 'bivillage') }, ALL);
    const { valid, anchors, reasons } = await verify(text, knows(LAST));
    expect({ valid, anchors }).toEqual({ valid: false, anchors: [] });
    expect(reasons.at(-1)).toEqual({ step: 'anchors', ok: false, code: 'NOT_CHECKED' });
  });
});
