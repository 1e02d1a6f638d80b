import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type CliRun, runCli } from '../support/cli.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { endOf, runToEnd, SMALL_JOB, storeModule } from './support/jobs.ts';
import { type Caller, signInOperator } from './support/principals.ts';
import { type SharedStack, sharedStack } from './support/shared-stack.ts';

interface Head {
  readonly size: string;
  readonly root: string;
  readonly checkpoint: string;
  readonly public_key: string;
}
interface Events {
  readonly events: readonly { readonly type: string; readonly stream: string; readonly position: string }[];
}

let stack: SharedStack;
let operator: Caller;
let anybody: Rest;
let folder: string;
let module: string;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
  anybody = createRest(stack.apiUrl);
  folder = await mkdtemp(join(tmpdir(), 'aivillage-log-'));
  module = await storeModule(operator.rest, 'exit-3');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = async (): Promise<Head> => {
  const { status, body } = await anybody.get<Head>('/v1/log/checkpoint');
  expect(status).toBe(200);
  return body;
};
const audit = (...args: string[]): Promise<CliRun> => runCli(stack.home, ['audit', ...args]);
/** An auditor's own machine: there is no stack, no key and no server. */
const elsewhere = (...args: string[]): Promise<CliRun> => runCli(join(folder, 'nowhere'), ['audit', ...args]);
const signedPast = (position: bigint) =>
  expect.poll(async () => BigInt((await head()).size) >= position, { timeout: 20_000 }).toBe(true);

test('J4.4: a job is in the signed log, and an outsider checks it with nothing but a file', async () => {
  const before = await head();
  const job = await runToEnd(operator.rest, { ...SMALL_JOB, code_hash: module });
  expect(job.state).toBe('settled');
  const { position } = (await operator.rest.get<{ position: string }>('/v1/system/info')).body;
  await signedPast(BigInt(position));

  const proof = await operator.rest.post('/v1/fog/proofs/verify', { proof_id: job.proof_id });
  expect(proof.body).toMatchObject({
    valid: true,
    details: { logged: true, merkle_path_valid: true },
    inclusion: {
      path: expect.any(Array),
      checkpoint: expect.stringContaining(before.checkpoint.split('\n')[0] as string),
    },
  });
  const batch = await operator.rest.get(`/v1/fog/proofs/batch?proof_ids=${job.proof_id}`);
  expect(batch.body).toMatchObject({ results: [{ proof_id: job.proof_id, valid: true, logged: true }] });

  const live = await audit('verify', '--public-key', before.public_key, '--json');
  expect(live).toMatchObject({ code: 0 });
  const verdict = JSON.parse(live.stdout);
  expect(verdict).toMatchObject({ valid: true, from: '1', public_key: before.public_key });

  const [file, part, kept] = ['log.ndjson', 'part.ndjson', 'kept.txt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(kept, before.checkpoint);
  const anchors = async () =>
    (await anybody.get<{ items: readonly unknown[] }>('/v1/log/anchors')).body.items;
  await expect.poll(async () => (await anchors()).length, { timeout: 40_000 }).toBeGreaterThan(0);
  expect(await audit('export', file)).toMatchObject({ code: 0 });
  expect(await audit('export', '--from', '20', '--to', '40', part)).toMatchObject({ code: 0 });
  const offline = await elsewhere('verify', file, '--public-key', before.public_key, '--earlier', kept);
  expect(offline).toMatchObject({ code: 0, stdout: expect.stringMatching(/consistency +ok/) });
  expect(await elsewhere('verify', part, '--public-key', before.public_key)).toMatchObject({ code: 0 });

  const text = await readFile(file, 'utf8');
  // From the file itself, where a real auditor would look the block up on the chain.
  const [, block] = /"block_hash":"(0x[0-9a-f]{64})"/.exec(text) ?? [];
  const anchored = await elsewhere('verify', file, '--anchor-block', String(block));
  expect(anchored).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/anchors +ok\n.*simulated chain/),
  });
  await writeFile(file, text.replace('"job.settled"', '"job.Settled"'));
  const doctored = await elsewhere('verify', file, '--json');
  expect(doctored.code).toBe(1);
  expect(JSON.parse(doctored.stdout)).toMatchObject({ valid: false, faults: [{ code: 'CHAIN_MISMATCH' }] });
});

test('settled 12: while an auction takes bids, nobody can count them in the size of the log', async () => {
  const submitted = await operator.rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', {
    ...SMALL_JOB,
    tier: 'gold',
    auction_seconds: 5,
    code_hash: module,
  });
  const { job_id } = submitted.body;
  const { position: after } = (await operator.rest.get<{ position: string }>('/v1/system/info')).body;
  /** The auditor's log ends with the opening of the auction as long as that is open. */
  const opening = async (): Promise<string | null> => {
    const from = BigInt(after) > 60n ? BigInt(after) - 60n : 0n;
    const { body } = await operator.rest.get<Events>(`/v1/events?from=${from}&limit=500`);
    const last = body.events.at(-1);
    return last?.type === 'auction.opened' ? last.position : null;
  };
  await expect.poll(opening, { timeout: 10_000 }).not.toBeNull();
  const opened = BigInt((await opening()) as string);
  await signedPast(opened);
  const seen = new Set<bigint>();
  const hasEnded = async () => {
    const { size } = await head();
    const isOpen = (await opening()) === String(opened);
    if (isOpen) seen.add(BigInt(size));
    return !isOpen;
  };
  await vi.waitUntil(hasEnded, { timeout: 30_000, interval: 200 });
  await endOf(operator.rest, job_id);
  await signedPast(opened + 4n);
  expect([...seen]).toEqual([opened]);
  expect(BigInt((await head()).size)).toBeGreaterThan(opened + 3n);
});
