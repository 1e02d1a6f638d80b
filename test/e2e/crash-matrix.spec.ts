import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import type { Job } from '../../domain/job/job.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { foldedState, foldStream } from '../../domain/registry.ts';
import { createClient } from '../../infra/cli/client/client.ts';
import { createTransport } from '../../infra/cli/client/transport.ts';
import { runJob } from '../../infra/cli/job/run-job.ts';
import { readLocalStack } from '../../infra/config/local-stack.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { readKeyFile } from '../../infra/keys/key-file.ts';
import { createPeer } from '../../infra/p2p/peer.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { assembleTestModule } from '../workloads/assemble.ts';

/** Every job ends within this, whatever is killed; a killed node costs three heartbeats at most. */
const JOB_TIMEOUT_MS = 150_000;

let home: string;
let stack: Stack;
let store: EventStore;
let module: Uint8Array<ArrayBuffer>;
/** Node names by provider id. */
let nodes: ReadonlyMap<string, string>;

const NODE_NAMES = ['aws', 'azure', 'gcp', 'edge', 'datacenter', 'hybrid'];

const providerOf = async (name: string): Promise<string> => {
  const [seed] = await readKeyFile(join(home, 'nodes', name, 'node.key'));
  const peer = await createPeer({ seed: seed as Uint8Array });
  await peer.stop();
  return providerIdOf(peer.publicKey);
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-crash-'));
  stack = await startStack(home);
  const local = readLocalStack(home);
  if (!local) throw new Error('the stack has no addresses');
  store = createPostgresEventStore({ url: local.databaseUrl, retryForMs: 60_000 });
  module = new Uint8Array(await assembleTestModule('busy'));
  nodes = new Map(
    await Promise.all(NODE_NAMES.map(async (name) => [await providerOf(name), `node-${name}`] as const)),
  );
});

afterAll(async () => {
  await store?.close();
  await stack?.stop();
  await removeHome(home);
});

const submit = async (auctionSeconds: number): Promise<string> => {
  const transport = createTransport({ apiUrl: stack.apiUrl, apiKey: stack.apiKey });
  const { job_id } = await runJob(
    createClient(transport),
    {
      module,
      input: null,
      args: [],
      tier: 'gold',
      requiredTops: 500,
      utilization: 0.8,
      durationSeconds: 60,
      auctionSeconds,
      maxPriceMicro: null,
      memoryMb: 64,
      allowSimulated: true,
      wait: false,
    },
    () => undefined,
  );
  return job_id;
};

/** The first event from now on that `wanted` accepts; survives restarts of PostgreSQL. */
const follow = async (after: bigint, wanted: (event: RecordedEvent) => boolean): Promise<RecordedEvent> => {
  const signal = AbortSignal.timeout(JOB_TIMEOUT_MS);
  let position = after;
  while (!signal.aborted) {
    try {
      for await (const events of store.subscribe(position, signal)) {
        for (const event of events) {
          position = event.position;
          if (wanted(event)) return event;
        }
      }
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
  throw new Error('the event never came');
};

const jobOf = async (jobId: string): Promise<{ readonly state: string; readonly job: Job }> => {
  const folded = foldStream(jobId, await store.readStream(jobId));
  return { state: foldedState(folded), job: folded.context as Job };
};

const ledger = async (): Promise<Ledger> =>
  foldStream(LEDGER_STREAM, await store.readStream(LEDGER_STREAM)).context as Ledger;

/** A node that is a member of the job now. */
const memberNode = async (jobId: string): Promise<string> => {
  const { job } = await jobOf(jobId);
  const name = nodes.get(job.members[0]?.providerId ?? '');
  if (!name) throw new Error('the job has no member on a local node');
  return name;
};

interface KillPoint {
  readonly name: string;
  /** The event of the job, or of one of its children, at which the process dies. */
  readonly at: string;
  readonly victims: (jobId: string) => Promise<string[]>;
  /** What ran on the victim is gone with it: a node that lost the auction is asked to stand in, and accepts. */
  readonly standIn?: true;
}

/** Bids that a kill interrupts are sent again within seconds: until then the auction is open. */
const BIDDING: ReadonlySet<string> = new Set(['job.submitted', 'job.auction-opened', 'auction.bid-placed']);

const always =
  (...names: string[]) =>
  () =>
    Promise.resolve(names);

/** Eight steps of the job × the process that matters there. */
const MATRIX: readonly KillPoint[] = [
  { name: 'api, as soon as it has answered', at: 'job.submitted', victims: always('api') },
  { name: 'temporal, while the auction is open', at: 'job.auction-opened', victims: always('temporal') },
  { name: 'worker, with bids under seal', at: 'auction.bid-placed', victims: always('worker') },
  { name: 'postgres, between close and award', at: 'auction.closed', victims: always('postgres') },
  {
    name: 'a winning node, before its enclave exists',
    at: 'job.quorum-formed',
    victims: async (id) => [await memberNode(id)],
  },
  {
    name: 'postgres and projector, with enclaves attested',
    at: 'job.enclave-attested',
    victims: always('postgres', 'projector'),
  },
  {
    name: 'a winning node, in the middle of the run',
    at: 'job.run-started',
    victims: async (id) => [await memberNode(id)],
    standIn: true,
  },
  {
    name: 'worker and api, with the first result in',
    at: 'job.result-received',
    victims: always('worker', 'api'),
  },
];

const OUTPUT = 'counted\n';

test.each(MATRIX)(
  'kill -9 of $name: the same settlement',
  async ({ at, victims, standIn }) => {
    const { position } = await store.head();
    const submitting = submit(BIDDING.has(at) ? 10 : 3);
    const first = await follow(position, (event) => event.type === 'job.submitted');
    const jobId = first.stream;
    await follow(
      position,
      (event) => event.type === at && (event.stream === jobId || event.correlationId === jobId),
    );
    for (const victim of await victims(jobId)) stack.kill(victim);
    const end = await follow(
      position,
      (event) => event.stream === jobId && (event.type === 'job.settled' || event.type === 'job.failed'),
    );
    expect(await submitting).toBe(jobId);

    const { state, job } = await jobOf(jobId);
    expect({ type: end.type, state, failure: job.failure }).toEqual({
      type: 'job.settled',
      state: 'settled',
      failure: null,
    });
    expect(job.members).toHaveLength(3);
    if (standIn) {
      const types = (await store.readStream(jobId)).map(({ type }) => type);
      expect(types).toContain('job.standby-accepted');
    }
    expect(job.proven?.outputHash).toBe(
      Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(OUTPUT))).toString('hex'),
    );
    expect(job.proven?.deviants).toEqual([]);
    const balances = await ledger();
    expect(total(balances)).toBe(0n);
    expect(balanceOf(balances, account.escrow(job.auctionId))).toBe(0n);
    expect(Object.keys(balances.balances).filter((name) => name.startsWith('deposit:'))).toEqual([]);
  },
  JOB_TIMEOUT_MS + 30_000,
);

test('after all of it the audit finds chain, replay, read models and ledger in order', async () => {
  await expect
    .poll(async () => JSON.parse((await runCli(home, ['audit', 'check', '--json'])).stdout), {
      timeout: 60_000,
      interval: 2_000,
    })
    .toMatchObject({ chain_ok: true, replay_ok: true, projections_ok: true, ledger_sum_micro: '0' });
});
