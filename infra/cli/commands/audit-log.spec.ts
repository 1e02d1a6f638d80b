import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTileEdge, type Tile } from '../../tlog/tiles.ts';
import type { ExportAnchorText } from '../../verify/export/anchor-line.ts';
import { anchorOf, entryLine, type FixtureLog, logOf, signer } from '../../verify/export/export.fixture.ts';
import type { LogClient } from '../client/log-client.ts';
import type { CliContext } from '../context.ts';
import { CliError } from '../failure.ts';
import { runCli } from '../program.ts';

/** What a server answers that keeps this log and these anchors, at most `page` events at a time, two anchors. */
const serverOf = (log: FixtureLog, page = 100, anchors: readonly ExportAnchorText[] = []): LogClient => {
  const tiles = new Map<string, Tile>();
  for (const tile of createTileEdge(0n, []).append(log.leaves))
    tiles.set(`${tile.level}/${tile.index}`, tile);
  return {
    head: async () => ({
      checkpoint: log.checkpoint(),
      size: BigInt(log.size),
      publicKey: signer.publicKey,
    }),
    anchors: async (from, to) => {
      const wanted = anchors.filter(({ size }) => BigInt(size) >= from && BigInt(size) <= to);
      const found = wanted.slice(0, 2);
      const last = found.at(-1);
      return { anchors: found, next: last && wanted.length > 2 ? BigInt(last.size) + 1n : null };
    },
    entries: async (from, limit) => {
      const count = Math.min(limit, page, log.size - Number(from) + 1);
      return Buffer.from(
        Array.from({ length: count }, (_, index) => entryLine(log, Number(from) + index)).join(''),
      );
    },
    tile: async ({ level, index }, width) =>
      (tiles.get(`${level}/${index}`) as Tile).hashes.subarray(0, width * 32),
  };
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aivillage-audit-'));
});
afterEach(() => rm(folder, { recursive: true }));

const run = async (
  argv: readonly string[],
  log: LogClient | null = null,
  stdin: Uint8Array = Buffer.alloc(0),
) => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let code = 0;
  const refuse = () => Promise.reject(new CliError('there is no server'));
  const context = {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout,
    stderr,
    engine: log === null ? refuse : async () => ({ log }),
    audit: refuse,
    recover: refuse,
    interruptible: (work: Promise<unknown>) => work,
    exit: (given: number) => {
      code = given;
    },
  } as unknown as CliContext;
  const output = text(stdout);
  await runCli(['audit', ...argv], context);
  stdout.end();
  stderr.end();
  return { code, out: await output, err: await text(stderr) };
};

const LOG = logOf(700);

describe('audit export and verify', () => {
  it('write a log that verifies without any server', async () => {
    const file = join(folder, 'log.ndjson');
    expect(await run(['export', file], serverOf(LOG))).toEqual({ code: 0, out: '', err: '' });
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(702);
    const { code, out } = await run(['verify', file, '--public-key', signer.publicKey, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      events: 700,
      from: '1',
      to: '700',
      size: '700',
      chain_hash: LOG.chain.at(-1),
      public_key: signer.publicKey,
      faults: [],
    });
    const told = await run(['verify', file]);
    expect(told.out).toMatch(/700 events, positions 1 to 700 of 700\n/);
    expect(told.out).toMatch(/key +- not pinned/);
    expect(told.out).toMatch(/hash chain +ok\nstreams +ok\n/);
    expect(told.out).toMatch(/VERIFIED +in/);
  });

  it('handle parts of a log, whose tree they complete by tiles', async () => {
    for (const [from, to] of [
      [1, 1],
      [2, 256],
      [257, 300],
      [511, 513],
      [700, 700],
    ]) {
      const file = join(folder, `${from}.ndjson`);
      await run(['export', '--from', `${from}`, '--to', `${to}`, file], serverOf(LOG, 60));
      const { code, out } = await run(['verify', file, '--json']);
      expect(JSON.parse(out)).toMatchObject({ valid: true, from: `${from}`, to: `${to}`, size: '700' });
      expect(code).toBe(0);
    }
  });

  it('work through pipes', async () => {
    const { out } = await run(['export', '-'], serverOf(LOG));
    expect((await run(['verify', '-', '--json'], null, Buffer.from(out))).code).toBe(0);
  });

  it('verify a live log, and find one that was rewritten', async () => {
    expect((await run(['verify', '--json'], serverOf(LOG))).code).toBe(0);
    expect((await run(['verify', '--from', '300'], serverOf(LOG))).out).toMatch(
      /positions 300 to 700 of 700/,
    );
    const rewritten = { ...serverOf(logOf(700, 1)), head: serverOf(LOG).head };
    const { code, out } = await run(['verify'], rewritten);
    expect(code).toBe(1);
    expect(out).toMatch(/tree +FAILED \(ROOT_MISMATCH\)/);
    expect(out).toMatch(/NOT VERIFIED/);
  });

  it('hold an earlier checkpoint or export against the log', async () => {
    const [note, older] = [join(folder, 'kept.txt'), join(folder, 'older.ndjson')];
    await writeFile(note, LOG.checkpoint(300));
    const start = {
      ...LOG,
      size: 500,
      leaves: LOG.leaves.slice(0, 500),
      checkpoint: () => LOG.checkpoint(500),
    };
    await run(['export', older], serverOf(start));
    const args = ['verify', '--earlier', note, '--earlier', older];
    const { out } = await run(args, serverOf(LOG));
    expect(out).toMatch(/consistency +ok/);
    const split = await run(args, serverOf(logOf(700, 1)));
    expect(split.code).toBe(1);
    expect(split.out).toMatch(/consistency +FAILED \(ROOT_MISMATCH\)/);
    await writeFile(note, '{"format":"something else"}\n');
    expect(await run(args, serverOf(LOG))).toMatchObject({
      code: 2,
      err: expect.stringContaining('neither a checkpoint nor'),
    });
  });

  it('take a kept checkpoint with a newline more at its end, but with nothing else', async () => {
    const note = join(folder, 'kept.txt');
    for (const [more, code, verdict] of [
      ['\n', 0, 'ok'],
      ['\n\n', 1, 'FAILED (MALFORMED)'],
      [' \n', 1, 'FAILED (MALFORMED)'],
    ] as const) {
      await writeFile(note, `${LOG.checkpoint(300)}${more}`);
      const told = await run(['verify', '--earlier', note], serverOf(LOG));
      expect(told).toMatchObject({ code, out: expect.stringContaining(`consistency  ${verdict}`) });
    }
  });

  it('carry anchors, which hold in blocks that the auditor knows and are not judged without', async () => {
    const anchors = [1, 300, 500, 600, 700].map((size) => anchorOf(LOG, size));
    const file = join(folder, 'log.ndjson');
    await run(['export', file], serverOf(LOG, 100, anchors));
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines.slice(1, 6)).toEqual(anchors.map((anchor) => JSON.stringify({ anchor })));
    expect((await run(['verify', file])).out).toMatch(/anchors +- 5 there, not judged: give --anchor-block/);
    const [, middle, , , last] = anchors as [ExportAnchorText, ExportAnchorText, ...ExportAnchorText[]];
    const known = ['--anchor-block', middle.block_hash, '--anchor-block', last?.block_hash ?? ''];
    const told = await run(['verify', file, ...known]);
    expect(told.out).toMatch(/anchors +ok\n {2}size 300: block 4711 of eip155:31337, 2026-.*Z \(simulated/);
    const { code, out } = await run(['verify', file, ...known, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out).anchors).toMatchObject(
      anchors.map((anchor) =>
        anchor === middle || anchor === last
          ? { status: 'anchored', size: anchor.size, block: '4711', block_hash: anchor.block_hash }
          : { status: 'not-judged', size: anchor.size, block: null, timestamp: null },
      ),
    );
    const contract = ['--anchor-contract', `0x${'0'.repeat(40)}`];
    const other = await run(['verify', file, ...known, ...contract]);
    expect(other).toMatchObject({ code: 1, out: expect.stringContaining('FAILED (OTHER_CONTRACT)') });
    for (const args of [contract, ['--anchor-block', 'abc'], [...known, '--anchor-contract', '0x1']])
      expect((await run(['verify', file, ...args])).code).toBe(2);
  });

  it('carry of a part the anchors that follow from it', async () => {
    const anchors = [298, 299, 400, 401, 700].map((size) => anchorOf(LOG, size));
    const file = join(folder, 'part.ndjson');
    await run(['export', '--from', '300', '--to', '400', file], serverOf(LOG, 60, anchors));
    const verdict = await run(['verify', file, '--json', '--anchor-block', anchors[1]?.block_hash ?? '']);
    expect(JSON.parse(verdict.out)).toMatchObject({
      valid: true,
      anchors: [{ size: '299', status: 'anchored' }, { size: '400' }, { size: '700' }],
    });
  });

  it('exit 1 for an altered file and tell the event', async () => {
    const file = join(folder, 'log.ndjson');
    await run(['export', file], serverOf(LOG));
    await writeFile(file, (await readFile(file, 'utf8')).replace('„123“', '„321“'));
    const { code, out } = await run(['verify', file]);
    expect(code).toBe(1);
    expect(out).toMatch(/hash chain +FAILED \(CHAIN_MISMATCH\)/);
    expect(out).toMatch(/ {2}position 124: CHAIN_MISMATCH/);
    await writeFile(file, '\u001b[2J');
    expect(await run(['verify', file])).toMatchObject({
      code: 1,
      out: expect.stringContaining('not an exported log'),
    });
  });

  it('refuse what makes no sense', async () => {
    const missing = join(folder, 'missing', 'log.ndjson');
    expect(await run(['verify', missing])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no such file'),
    });
    expect(await run(['export', missing], serverOf(LOG))).toMatchObject({
      code: 2,
      err: expect.stringContaining('missing'),
    });
    for (const range of [
      ['--from', '701'],
      ['--to', '701'],
      ['--from', '0'],
      ['--from', '5', '--to', '4'],
      ['--from', 'x'],
    ])
      expect((await run(['verify', ...range], serverOf(LOG))).code).toBe(2);
    expect((await run(['verify', missing, '--from', '1'])).code).toBe(2);
    expect((await run(['verify', missing, '--earlier', missing])).code).toBe(2);
    expect((await run(['verify'])).code).toBe(1);
  });

  it('leave no file behind when a server breaks off', async () => {
    const file = join(folder, 'log.ndjson');
    const log = serverOf(LOG);
    const broken: LogClient = {
      ...log,
      entries: (from, limit) =>
        from > 300n ? Promise.reject(new CliError('the server is gone')) : log.entries(from, limit),
    };
    expect(await run(['export', file], broken)).toMatchObject({ code: 1, err: 'the server is gone\n' });
    expect(await run(['verify'], { ...log, entries: async () => Buffer.alloc(0) })).toMatchObject({
      code: 1,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
