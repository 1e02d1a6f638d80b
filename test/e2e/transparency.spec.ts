import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runCli } from '../support/cli.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { runToEnd, SMALL_JOB, storeModule } from './support/jobs.ts';
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

test('settled 36: an open auction holds back no signed head, anchor, export or proof', async () => {
  const quoted = await operator.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', {
    tier: 'gold',
    required_tops: 500,
    utilization: 0.8,
    duration_seconds: 7200,
  });
  // For an hour, and so cheap that no node is tied up by it.
  const opened = await operator.rest.post<{ auction_id: string; position: string }>(
    '/v1/fog/pricing/auction',
    { quote_id: quoted.body.quote_id, max_bid: '100', auction_seconds: 3600 },
  );
  expect(opened.status).toBe(201);
  const atOpening = await head();

  // More happens than an anchor waits for.
  const job = await runToEnd(operator.rest, { ...SMALL_JOB, code_hash: module });
  expect(job).toMatchObject({ state: 'settled', reason: null });
  const { position } = (await operator.rest.get<{ position: string }>('/v1/system/info')).body;
  expect(BigInt(position)).toBeGreaterThan(BigInt(opened.body.position) + 10n);
  await signedPast(BigInt(position));
  const events = await operator.rest.get<Events>(`/v1/events?from=${BigInt(position) - 1n}&limit=1`);
  expect(events.body.events).toMatchObject([{ position }]);
  const inclusion = await anybody.get(`/v1/log/proof/${position}`);
  expect(inclusion).toMatchObject({ status: 200, body: { checkpoint: expect.any(String) } });
  const later = await head();
  expect(await anybody.get(`/v1/log/consistency?from=${atOpening.size}&to=${later.size}`)).toMatchObject({
    status: 200,
    body: { root1: atOpening.root, root2: later.root },
  });

  const anchoredSince = async () =>
    (await anybody.get<{ items: readonly unknown[] }>(`/v1/log/anchors?from=${position}`)).body.items.length;
  await expect.poll(anchoredSince, { timeout: 60_000 }).toBeGreaterThan(0);
  const [file, kept] = [join(folder, 'open.ndjson'), join(folder, 'opening.txt')];
  await writeFile(kept, atOpening.checkpoint);
  expect(await audit('export', file)).toMatchObject({ code: 0 });
  const verified = await elsewhere(
    'verify',
    file,
    '--public-key',
    later.public_key,
    '--earlier',
    kept,
    '--json',
  );
  const verdict = JSON.parse(verified.stdout);
  expect(verdict).toMatchObject({ valid: true });
  expect(BigInt(verdict.to)).toBeGreaterThanOrEqual(BigInt(position));
  const shown = await operator.rest.get(`/v1/fog/pricing/auctions/${opened.body.auction_id}`);
  expect(shown.body).toMatchObject({ state: 'open' });
});
