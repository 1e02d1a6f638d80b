import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import { LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { foldStream } from '../../domain/registry.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { endOf, storeModule } from './support/jobs.ts';

let home: string;
let stack: Stack;
let store: EventStore;
let rest: Rest;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-recover-'));
  stack = await startStack(home);
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl });
  rest = createRest(stack.apiUrl, { 'X-API-Key': stack.apiKey });
});
afterAll(async () => {
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

/** Enough of declared work for the fuel that counting takes. */
const GOLD = { tier: 'gold', required_tops: 100, utilization: 0.8, duration_seconds: 300 } as const;
const GOLD_QUERY = 'tier=gold&required_tops=100&utilization=0.8&duration_seconds=300';

const submit = async (codeHash: string, auction: object): Promise<string> => {
  const body = { ...auction, code_hash: codeHash, memory_mb: 64, allow_simulated: true };
  const submitted = await rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', body);
  expect(submitted).toMatchObject({ status: 202 });
  return submitted.body.job_id;
};

/** The first event of the log that `wanted` accepts. */
const first = async (wanted: (event: RecordedEvent) => boolean): Promise<void> => {
  for await (const events of store.subscribe(0n, AbortSignal.timeout(120_000)))
    if (events.some(wanted)) return;
  throw new Error('the event never came');
};

/** Temporal forgets everything: its file is gone before it is killed, and the supervisor starts it on a new one. */
const loseTemporalsStore = async (): Promise<void> => {
  const file = join(home, 'temporal', 'temporal.db');
  for (const suffix of ['', '-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
  const { temporal } = stack.pids();
  stack.kill('temporal');
  await expect.poll(() => stack.pids()['temporal'] !== temporal, { timeout: 60_000 }).toBe(true);
};

test('J2: Temporal loses its store in the middle of jobs; recovered from the log, every one of them settles', async () => {
  const busy = await storeModule(rest, 'busy');
  const running = await submit(busy, { ...GOLD, auction_seconds: 2 });
  await first(({ stream, type }) => stream === running && type === 'job.run-started');
  const bidding = await submit(busy, { ...GOLD, auction_seconds: 30 });
  // Late, for an award has to be taken within two minutes.
  const quote = await rest.get<{ quote_id: string }>(`/v1/fog/pricing/quote?${GOLD_QUERY}`);
  const given = await rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', {
    quote_id: quote.body.quote_id,
    auction_seconds: 1,
  });
  expect(given).toMatchObject({ status: 201 });
  const { auction_id: auctionId } = given.body;
  await first(({ stream, type }) => stream === auctionId && type === 'auction.awarded');
  const fresh = await submit(busy, { ...GOLD, auction_seconds: 3 });

  await loseTemporalsStore();
  await expect
    .poll(async () => await runCli(home, ['recover']), { timeout: 120_000, interval: 2_000 })
    .toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[1-9]\d* unfinished lifecycles opened again/),
    });
  // Again it finds all of them running. One that ends between its look and its call is opened for nothing, and ends again.
  await expect
    .poll(async () => await runCli(home, ['recover']), { timeout: 30_000, interval: 1_000 })
    .toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 unfinished/) });

  const allocated = await submit(busy, { auction_id: auctionId });
  for (const jobId of [running, fresh, bidding, allocated])
    expect(await endOf(rest, jobId), jobId).toMatchObject({ job_id: jobId, state: 'settled' });
  const ledger = foldStream(LEDGER_STREAM, await store.readStream(LEDGER_STREAM)).context as Ledger;
  expect(total(ledger)).toBe(0n);
  expect(Object.keys(ledger.balances).filter((name) => /^(deposit|escrow):/.test(name))).toEqual([]);
  await expect
    .poll(async () => JSON.parse((await runCli(home, ['audit', 'check', '--json'])).stdout), {
      timeout: 60_000,
      interval: 2_000,
    })
    .toMatchObject({ chain_ok: true, replay_ok: true, projections_ok: true, ledger_sum_micro: '0' });
}, 400_000);
