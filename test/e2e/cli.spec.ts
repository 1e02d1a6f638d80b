import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const WASM = join(ROOT, 'infra', 'workloads', 'word-count.wasm');
const TEXT = join(ROOT, 'infra', 'workloads', 'sample.txt');
const OUTPUT = 'words: 51\n';

let home: string;
let stack: Stack;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-cli-'));
  stack = await startStack(home);
});
afterAll(async () => {
  await stack?.stop();
  const location = await readFile(join(home, 'postgres', 'location'), 'utf8').catch(() => null);
  if (location !== null) await rm(join(location.trim(), '..'), { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `npx aivillage` as a user would; `onError` gets what it writes to standard error as it comes. */
const start = (args: readonly string[], onError: (text: string) => void = () => undefined) =>
  new Promise<Ended>((done) => {
    const child = execFile(
      process.execPath,
      [join(ROOT, 'bin', 'aivillage.mjs'), ...args],
      { env: { ...process.env, AIVILLAGE_HOME: home } },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stderr?.on('data', onError);
  });
const aivillage = (...args: string[]) => start(args);
const runArgs = (...args: string[]) => ['job', 'run', '--wasm', WASM, '--auction-seconds', '2', ...args];
const run = (...args: string[]) => start(runArgs(...args));

test('a job runs from a file to its result, and its story can be shown, listed and replayed', async () => {
  const result = join(home, 'result');
  const ran = await run('--input', TEXT, '--tier', 'gold', '--output', result, '--json');
  expect(ran).toMatchObject({ code: 0 });
  const job = JSON.parse(ran.out);
  expect(job).toMatchObject({ state: 'settled', exit_code: 0, proof_id: expect.stringMatching(/^proof-/) });
  expect(await readFile(result, 'utf8')).toBe(OUTPUT);
  expect(job.output_sha256).toBe(createHash('sha256').update(OUTPUT).digest('hex'));
  const paid = job.members.map((member: { paid_micro: string }) => BigInt(member.paid_micro));
  expect(paid).toHaveLength(3);
  expect(paid.reduce((sum: bigint, each: bigint) => sum + each, 0n)).toBe(BigInt(job.price_micro));

  const shown = await aivillage('job', 'show', job.job_id);
  expect(shown.out).toMatch(/job\.submitted[^]*job\.settled[^]*simulated/);
  expect(JSON.parse((await aivillage('job', 'show', job.job_id, '--json')).out)).toEqual(job);
  const list = JSON.parse((await aivillage('job', 'list', '--json')).out);
  expect(list).toEqual({ items: [{ job_id: job.job_id, state: 'settled' }] });

  const first = JSON.parse((await aivillage('audit', 'replay', job.job_id, '--at', '0', '--json')).out);
  expect(first).toMatchObject({ revision: 0, value: 'queued' });
  const check = await aivillage('audit', 'check', '--json');
  expect(check.code).toBe(0);
  expect(JSON.parse(check.out)).toMatchObject({
    chain_ok: true,
    replay_ok: true,
    projections_ok: true,
    ledger_sum_micro: '0',
  });
});

test('a run goes on when the API is killed under it', async () => {
  const accepted = Promise.withResolvers<void>();
  const ended = start(runArgs('--input', TEXT, '--tier', 'bronze', '--output', '-'), (text) => {
    if (text.includes('Submitted')) accepted.resolve();
  });
  await accepted.promise;
  const back = stack.waitFor(/^api is up again/m, { fromNow: true });
  stack.kill('api');
  await back;
  expect(await ended).toMatchObject({ code: 0, out: OUTPUT });
});

test('a job that fails ends with 1 and its reason', async () => {
  const { code, out, err } = await run('--tier', 'gold', '--max-price', '100', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ state: 'failed', members: [], proof_id: null });
  expect(err).toContain('AUCTION_NOT_ENOUGH_BIDS');
});

test('bad input is refused with 2, field and rule, and nothing on standard output', async () => {
  const truncated = join(home, 'truncated.wasm');
  await writeFile(truncated, (await readFile(WASM)).subarray(0, 300));
  const refusals: [RegExp, Promise<Ended>][] = [
    [/INVALID_REQUEST[^]* {2}tier: .*platinum/, run('--tier', 'diamond')],
    [/INVALID_REQUEST[^]* {2}utilization: /, run('--tier', 'gold', '--utilization', '1.2')],
    [/INVALID_REQUEST[^]* {2}memory_mb: /, run('--tier', 'gold', '--memory-mb', '10240')],
    [/INVALID_REQUEST[^]* {2}module: /, aivillage('job', 'run', '--wasm', truncated, '--tier', 'gold')],
    [/RESOURCE_NOT_FOUND[^]* {2}job_id: /, aivillage('job', 'show', 'job-01HZY3W9J8Q5K7M2N4P6R8T0V2')],
    [/missing: no such file/, aivillage('job', 'run', '--wasm', join(home, 'missing'), '--tier', 'gold')],
  ];
  for (const [message, ended] of refusals) {
    expect(await ended).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  }
});
