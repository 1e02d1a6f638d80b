import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { foldStream } from '../../domain/registry.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { removeHome } from '../support/home.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/workers.ts';
import { endOf, storeModule } from './support/jobs.ts';

const JOB_TIMEOUT_MS = 180_000;

let home: string;
let stack: Stack;
let store: EventStore;
let rest: Rest;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-workers-'));
  stack = await startStack(home);
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl, retryForMs: 60_000 });
  rest = createRest(stack.apiUrl, { 'X-API-Key': stack.apiKey });
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

afterAll(async () => {
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

const submit = async (codeHash: string): Promise<string> => {
  const { status, body } = await rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', {
    tier: 'gold',
    required_tops: 100,
    utilization: 0.8,
    duration_seconds: 60,
    auction_seconds: 3,
    memory_mb: 64,
    allow_simulated: true,
    code_hash: codeHash,
  });
  expect(status).toBe(202);
  return body.job_id;
};

/** What providers' streams say against them after `position`. */
const accusations = async (position: bigint): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for (let after = position; ; ) {
    const page = await store.readAll({ after, limit: 1000 });
    const last = page.at(-1);
    if (!last) return events;
    after = last.position;
    for (const event of page) {
      if (!event.stream.startsWith('provider-')) continue;
      const said = domainEventOf<ProviderEvent>(event);
      const isFault = said.type === 'provider.evidence-recorded' && said.negative > 0;
      if (isFault || said.type === 'provider.suspected' || said.type === 'provider.lost') events.push(event);
    }
  }
};

/** Nobody lost anything but the price of the work. */
const expectNoFaultSince = async (position: bigint): Promise<void> => {
  expect(await accusations(position)).toEqual([]);
  const ledger = foldStream(LEDGER_STREAM, await store.readStream(LEDGER_STREAM)).context as Ledger;
  expect(balanceOf(ledger, account.slashed)).toBe(0n);
  expect(Object.keys(ledger.balances).filter((name) => name.startsWith('deposit:'))).toEqual([]);
  expect(total(ledger)).toBe(0n);
};

test(
  'a second worker, which no node has dialled, reaches them through the first and accuses nobody',
  async () => {
    const { position } = await store.head();
    workers.push(await startWorkerProcess(home, 1));
    const codeHash = await storeModule(rest, 'busy');
    const jobs = await Promise.all([1, 2, 3].map(() => submit(codeHash)));
    for (const job of await Promise.all(jobs.map((id) => endOf(rest, id)))) {
      expect(job).toMatchObject({ state: 'settled' });
    }
    await expectNoFaultSince(position);
  },
  JOB_TIMEOUT_MS,
);
