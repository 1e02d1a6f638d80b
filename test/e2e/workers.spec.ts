import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { foldStream } from '../../domain/registry.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { engineAddress } from '../../infra/p2p/engine-address.ts';
import { connectedNodes, routesTo } from '../../infra/p2p/routes.ts';
import { liveWorkers } from '../../infra/p2p/workers.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createRemoteGateway } from '../../infra/temporal/remote-gateway.ts';
import { clientConverter, readCommandKeys } from '../../infra/temporal/sealed-payloads.ts';
import { TASK_QUEUE } from '../../infra/temporal/task-queue.ts';
import { removeHome } from '../support/home.ts';
import { createRest, type Rest } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/workers.ts';
import { endOf, storeModule } from './support/jobs.ts';

const JOB_TIMEOUT_MS = 180_000;
const PATIENCE = { timeout: 60_000, interval: 250 };
const NODES = 6;

let home: string;
let stack: Stack;
let store: EventStore;
let pool: Pool;
let connection: Connection;
let rest: Rest;
let codeHash: string;
let second: WorkerProcess;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-workers-'));
  stack = await startStack(home);
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl, retryForMs: 60_000 });
  pool = createPool(local.databaseUrl, { name: 'test', max: 2 });
  connection = await Connection.connect({ address: local.temporalAddress });
  rest = createRest(stack.apiUrl, { 'X-API-Key': stack.apiKey });
  codeHash = await storeModule(rest, 'busy');
  second = await startWorkerProcess(home, { index: 1 });
});

afterAll(async () => {
  await second?.stop();
  await connection?.close();
  await pool?.end();
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

/** The first event from now on that `wanted` accepts. */
const follow = async (after: bigint, wanted: (event: RecordedEvent) => boolean): Promise<RecordedEvent> => {
  for await (const events of store.subscribe(after, AbortSignal.timeout(JOB_TIMEOUT_MS))) {
    const found = events.find(wanted);
    if (found) return found;
  }
  throw new Error('the event never came');
};

const submit = async (auctionSeconds = 4): Promise<string> => {
  const { status, body } = await rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', {
    tier: 'gold',
    required_tops: 100,
    utilization: 0.8,
    // The fuel that counting takes follows from the declared work.
    duration_seconds: 300,
    auction_seconds: auctionSeconds,
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

/** How many workers each node is connected to. */
const routeCounts = async (): Promise<readonly number[]> => {
  const nodes = await connectedNodes(pool);
  return Promise.all(nodes.map(async (node) => (await routesTo(pool, node)).length));
};

test(
  'a second worker, which no node has dialled, reaches them through the first and accuses nobody',
  async () => {
    const { position } = await store.head();
    const jobs = await Promise.all([1, 2, 3].map(() => submit()));
    const ends = await Promise.all(jobs.map((id) => endOf(rest, id)));
    await expectNoFaultSince(position);
    expect(ends.map(({ state }) => state)).toEqual(['settled', 'settled', 'settled']);
    expect(await routeCounts()).toEqual(new Array(NODES).fill(1));
  },
  JOB_TIMEOUT_MS,
);

test(
  'the only worker that nodes know stops for longer than a launch may take: the other waits, and accuses nobody',
  async () => {
    const { position } = await store.head();
    const jobId = await submit();
    await follow(position, ({ type, stream }) => type === 'job.quorum-formed' && stream === jobId);
    const first = stack.pids()['worker'] as number;
    process.kill(first, 'SIGSTOP');
    try {
      await vi.waitFor(async () => expect(await routeCounts()).toEqual([]), PATIENCE);
      // The other worker takes over after 25 s at most, and a launch may take 30 s: only a longer stop shows anything.
      const stoppedAt = Date.now();
      await vi.waitFor(() => expect(Date.now() - stoppedAt).toBeGreaterThan(75_000), {
        timeout: 100_000,
        interval: 1000,
      });
    } finally {
      process.kill(first, 'SIGCONT');
    }
    expect(await endOf(rest, jobId)).toMatchObject({ state: 'settled', message: null, failed_members: [] });
    await expectNoFaultSince(position);
    await vi.waitFor(async () => expect(await routeCounts()).toEqual(new Array(NODES).fill(1)), PATIENCE);
  },
  JOB_TIMEOUT_MS + 60_000,
);

describe('nodes that know two workers', () => {
  beforeAll(async () => {
    const address = await engineAddress(home, 1, second.meshPort);
    for (const name of await readdir(join(home, 'nodes'))) {
      const file = join(home, 'nodes', name, 'node.json');
      const config = JSON.parse(await readFile(file, 'utf8')) as { engines: string[] };
      await writeFile(file, JSON.stringify({ ...config, engines: [...config.engines, address] }));
      stack.kill(`node-${name}`);
    }
    await vi.waitFor(async () => expect(await routeCounts()).toEqual(new Array(NODES).fill(2)), PATIENCE);
  });

  test('join both, with one stake and one attestation', async () => {
    for (const provider of await connectedNodes(pool)) {
      const said = (await store.readStream(provider)).map(({ type }) => type);
      for (const once of ['provider.registered', 'provider.attested', 'provider.stake-locked'])
        expect(said.filter((type) => type === once)).toEqual([once]);
    }
  });

  /** Until it has ended Temporal may give a dying worker what it asks once, such as a question to a node. */
  const killed = {
    first: async () => {
      const pid = stack.pids()['worker'];
      stack.kill('worker');
      await vi.waitFor(() => expect(stack.pids()['worker']).not.toBe(pid), { ...PATIENCE, interval: 10 });
    },
    second: () => second.signal('SIGKILL'),
  };

  /** Whichever way a test ends, the next one finds both workers, and every node at both. */
  afterEach(async () => {
    if (second.hasEnded()) {
      const live = async () => (await liveWorkers(pool)).map(({ index }) => index);
      await vi.waitFor(async () => expect(await live()).toEqual([0]), PATIENCE);
      second = await startWorkerProcess(home, { index: 1, meshPort: second.meshPort });
    }
    await vi.waitFor(async () => expect(await routeCounts()).toEqual(new Array(NODES).fill(2)), PATIENCE);
  });

  test.each([
    { victim: 'first', at: 'auction.bid-placed' },
    { victim: 'second', at: 'auction.bid-placed' },
    { victim: 'first', at: 'job.run-started' },
    { victim: 'second', at: 'job.run-started' },
  ] as const)(
    'kill -9 of the $victim at $at: the job settles, nobody is accused, the other reaches every node',
    async ({ victim, at }) => {
      const { position } = await store.head();
      const nodes = await connectedNodes(pool);
      // Bids that the loss interrupts are sent again within seconds: the auction has to be open then.
      const jobId = await submit(at === 'auction.bid-placed' ? 15 : 4);
      await follow(position, ({ type, correlationId }) => type === at && correlationId === jobId);
      await killed[victim]();

      const dataConverter = clientConverter(await readCommandKeys(home));
      const client = new Client({ connection, dataConverter });
      const remote = createRemoteGateway({ client, taskQueue: TASK_QUEUE });
      const enclaveId = `enclave-${'0'.repeat(26)}`;
      const replies = await Promise.all(
        nodes.map((node) =>
          remote.request(node, { type: 'destroy-enclave', enclaveId }, { timeoutMs: 20_000 }),
        ),
      );
      expect(replies).toEqual(nodes.map(() => ({ type: 'destroyed' })));

      expect(await endOf(rest, jobId)).toMatchObject({ state: 'settled', message: null, failed_members: [] });
      await expectNoFaultSince(position);
    },
    JOB_TIMEOUT_MS + 60_000,
  );
});
