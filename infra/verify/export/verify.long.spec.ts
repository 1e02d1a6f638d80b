import { utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeSha256 } from '../../tlog/hashes.ts';
import { createCheckpointSigner } from '../../tlog/signer.ts';
import { type ExportInput, type ExportVerdict, verifyExport } from '../index.ts';
import { entryLine, exportText, logOf, signer } from './export.fixture.ts';

const LOG = logOf(75);
const pinned = { publicKey: signer.publicKey };

const verify = (source: string | Uint8Array, given: Partial<ExportInput> = {}): Promise<ExportVerdict> =>
  verifyExport({ source: typeof source === 'string' ? utf8ToBytes(source) : source, ...pinned, ...given });

const failures = async (source: string | Uint8Array, given: Partial<ExportInput> = {}): Promise<string[]> => {
  const { valid, reasons } = await verify(source, given);
  const failed = reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);
  expect(valid).toBe(failed.length === 0);
  return failed;
};

/** The export with one line changed; 0 is the header. */
const withLine = (text: string, at: number, change: (line: string) => string): string =>
  text
    .split('\n')
    .map((line, index) => (index === at ? change(line) : line))
    .join('\n');

describe('verifyExport', () => {
  it('holds for a whole log and tells what it computed', async () => {
    const verdict = await verify(exportText(LOG));
    expect(verdict).toMatchObject({
      valid: true,
      events: 75,
      faults: [],
      claim: { from: 1n, to: 75n, size: 75n, publicKey: signer.publicKey },
      chain: LOG.chain.at(-1),
    });
    expect(LOG.checkpoint()).toContain(Buffer.from(verdict.root ?? '', 'hex').toString('base64'));
  });

  it('holds for every part of a log', async () => {
    const position = fc.integer({ min: 1, max: 75 });
    await fc.assert(
      fc.asyncProperty(position, position, position, async (one, other, third) => {
        const [from, to, size] = [one, other, third].sort((a, b) => a - b) as [number, number, number];
        expect(await failures(exportText(LOG, { from, to, size }))).toEqual([]);
      }),
    );
  });

  it('reads pieces of any size, with any SHA-256', async () => {
    const bytes = utf8ToBytes(exportText(LOG));
    for (const length of [1, 7, 64, 1000, bytes.length]) {
      const source = async function* () {
        for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
      };
      const verdict = await verifyExport({ source: source(), sha256: nodeSha256 });
      expect(verdict).toMatchObject({ valid: true, events: 75 });
    }
  });

  it('refuses a flip in any byte of a part of a log', async () => {
    const bytes = utf8ToBytes(exportText(LOG, { from: 30, to: 34 }));
    for (let at = 0; at < bytes.length; at++)
      for (const mask of [0x01, 0x20]) {
        const flipped = bytes.map((byte, index) => (index === at ? byte ^ mask : byte));
        const { valid } = await verify(flipped);
        if (valid) throw new Error(`byte ${at} ^ ${mask} was not noticed`);
      }
  }, 120_000);

  it('refuses every shorter and every longer file', async () => {
    const text = exportText(LOG, { from: 3, to: 6 });
    const bytes = utf8ToBytes(text);
    for (let length = 0; length < bytes.length; length++) {
      const failed = await failures(bytes.subarray(0, length));
      expect(failed[0]).toMatch(/^format (?:TRUNCATED|MALFORMED)$/);
    }
    expect((await failures(`${text}\n`))[0]).toBe('format MALFORMED');
    expect((await failures(text + entryLine(LOG, 7)))[0]).toBe('format MALFORMED');
    expect((await failures(text.slice(0, -1)))[0]).toBe('format MALFORMED');
    const lines = text.split('\n');
    expect((await failures(`${lines.slice(0, 4).join('\n')}\n`))[0]).toBe('format TRUNCATED');
  });

  it('tells which event was altered, and that the tree is another', async () => {
    const altered = withLine(exportText(LOG), 20, (line) => line.replace('„19“', '„91“'));
    const verdict = await verify(altered);
    expect(await failures(altered)).toEqual(['tree ROOT_MISMATCH', 'chain CHAIN_MISMATCH']);
    expect(verdict.faults).toEqual([{ position: 20n, code: 'CHAIN_MISMATCH' }]);
    const noHash = withLine(exportText(LOG), 20, (line) => line.replace(/"hash":"../, '"hash":"G '));
    expect(await failures(noHash)).toEqual(['chain CHAIN_MISMATCH']);
  });

  it('is not deceived by a log rewritten with a chain of its own', async () => {
    const other = logOf(75, 1);
    const forged = exportText(other, {}, { checkpoint: LOG.checkpoint() });
    expect(await failures(forged)).toEqual(['tree ROOT_MISMATCH']);
    const dropped = exportText(LOG, {}, { checkpoint: LOG.checkpoint(74) });
    expect(await failures(dropped)).toEqual(['checkpoint SIZE_MISMATCH', 'tree ROOT_MISMATCH']);
  });

  it('is not deceived by a log signed with another key', async () => {
    const stranger = createCheckpointSigner([new Uint8Array(32).fill(6)]);
    const root = Buffer.from(LOG.checkpoint().split('\n')[2] ?? '', 'base64');
    const checkpoint = stranger.sign({ size: 75n, root });
    const forged = exportText(LOG, {}, { checkpoint, public_key: stranger.publicKey });
    expect(await failures(forged)).toEqual([
      'key KEY_MISMATCH',
      'checkpoint UNKNOWN_SIGNER',
      'tree NOT_CHECKED',
      'anchors NOT_CHECKED',
    ]);
    // Nobody said which log it should be: it is whole in itself, and says that it was not compared.
    const unpinned = await verifyExport({ source: utf8ToBytes(forged) });
    expect(unpinned.valid).toBe(true);
    expect(unpinned.reasons).toContainEqual({ step: 'key', ok: true, code: 'NOT_EXPECTED' });
  });

  it('wants the revisions of every stream in their order', async () => {
    const log = logOf(20);
    const swapped = { ...log, envelopes: [...log.envelopes] };
    [swapped.envelopes[3], swapped.envelopes[4]] = [
      swapped.envelopes[4] as string,
      swapped.envelopes[3] as string,
    ];
    expect(await failures(exportText(swapped))).toContain('streams REVISION_GAP');
    const renamed = withLine(exportText(log), 2, (line) => line.replace('sample-0@1', 'sample-0@2'));
    expect(await failures(renamed)).toContain('streams BAD_ENVELOPE');
    const noJson = withLine(exportText(log), 2, (line) => line.replace('"data":', '"data"'));
    expect(await failures(noJson)).toContain('streams BAD_ENVELOPE');
  });

  it('holds earlier checkpoints against the events', async () => {
    const text = exportText(LOG);
    expect(
      await failures(text, { earlier: [LOG.checkpoint(1), LOG.checkpoint(33), LOG.checkpoint()] }),
    ).toEqual([]);
    const other = logOf(40, 1);
    expect(await failures(text, { earlier: [LOG.checkpoint(33), other.checkpoint(40)] })).toEqual([
      'consistency ROOT_MISMATCH',
    ]);
    const part = exportText(LOG, { from: 40, to: 50, size: 60 });
    expect(
      await failures(part, { earlier: [LOG.checkpoint(39), LOG.checkpoint(45), LOG.checkpoint(60)] }),
    ).toEqual([]);
    for (const size of [38, 51, 61, 75])
      expect(await failures(part, { earlier: [LOG.checkpoint(size)] })).toEqual(['consistency NOT_COVERED']);
    expect(await failures(text, { earlier: ['nothing'] })).toEqual(['consistency MALFORMED']);
    // The empty tree is part of every log and says nothing.
    expect(await failures(text, { earlier: [LOG.checkpoint(0)] })).toEqual(['consistency NOT_COVERED']);
  });

  it('survives any bytes', async () => {
    const [header = ''] = exportText(LOG).split('\n');
    const bytes = fc.uint8Array({ maxLength: 300 });
    const lines = fc.oneof(
      bytes,
      bytes.map((rest) => Uint8Array.from([...utf8ToBytes(`${header}\n`), ...rest])),
      fc.json().map((json) => utf8ToBytes(`${json}\n`)),
    );
    await fc.assert(
      fc.asyncProperty(lines, async (source) => {
        const { valid, reasons } = await verify(source);
        expect(valid).toBe(false);
        expect(reasons).toHaveLength(8);
      }),
    );
  });

  it('passes on a failure to read', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield utf8ToBytes('{');
      throw new Error('the disk is gone');
    };
    await expect(verifyExport({ source: source() })).rejects.toThrow('the disk is gone');
  });
});
