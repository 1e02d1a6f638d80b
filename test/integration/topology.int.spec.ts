import { randomBytes } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createJournalActivities } from '../../activities/journal.ts';
import { createTopologyActivities } from '../../activities/topology.ts';
import { domainEventOf, type RecordedEvent } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Lifecycles } from '../../domain/ports/lifecycles.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import { foldStream } from '../../domain/registry.ts';
import { addSeconds, isBefore } from '../../domain/time.ts';
import { beaconFrom } from '../../domain/topology/beacon.ts';
import { commitmentOf } from '../../domain/topology/commitment.ts';
import { epochStart, topologyStream } from '../../domain/topology/epoch.ts';
import type {
  BeaconFixed,
  CandidatesCommitted,
  NeighboursSelected,
  TopologyEvent,
  TopologyOpened,
} from '../../domain/topology/events.ts';
import { nodeVrfKey, provePossession } from '../../domain/topology/node-key.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { createNeighbourDraws } from '../../infra/node/neighbour-draws.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createProviders } from '../../infra/providers/providers.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { createLifecycles } from '../../infra/temporal/lifecycles.ts';
import { clientConverter } from '../../infra/temporal/sealed-payloads.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { createTransparencyLog } from '../../infra/tlog/transparency-log.ts';
import { createCandidateSets } from '../../infra/topology/candidate-sets.ts';
import { createDrawer, recordOf } from '../../infra/topology/drawer.ts';
import { keepTopologySchedule } from '../../infra/topology/schedule.ts';
import { verifyNeighbours } from '../../infra/verify/index.ts';
import { COMMAND_KEYS, sealedWorker } from '../support/command-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporalAddress } from '../support/temporal.ts';

const now = (): string => new Date().toISOString();
/** Twelve nodes, of which the last is out of reach of this worker. */
const NODES = 12;
const settings = { network: `net-${randomBytes(4).toString('hex')}`, epochSeconds: 4 };
const taskQueue = `test-${randomBytes(6).toString('hex')}`;

const nodes = Array.from({ length: NODES }, (_, index) => {
  const seed = randomBytes(32);
  const publicKey = randomBytes(32).toString('hex');
  const key = nodeVrfKey(seed);
  return {
    providerId: `provider-${String(index).padStart(26, '0')}`,
    owner: `subject-${index}`,
    publicKey,
    key,
    draws: createNeighbourDraws(key),
  };
});

/** The nodes' own drawing code, without the wire in between. */
const gateway: Pick<NodeGateway, 'request'> = {
  request: async (providerId, request) => {
    const node = nodes.find((each) => each.providerId === providerId);
    if (!node || request.type !== 'draw-neighbours') throw new Error(`unexpected ${request.type}`);
    const answer = node.draws.draw(request);
    // The reply belongs to the request's type, which the port's generic cannot see here.
    return ('ok' in answer ? { type: 'refused', ...answer } : answer) as never;
  },
};

let database: TestDatabase;
let store: EventStore;
let lifecycles: Lifecycles;
let client: Client;
let sets: ReturnType<typeof createCandidateSets>;
const drawer = createDrawer({ gateway });
let stop: () => Promise<void>;

const enlist = async (index: number): Promise<void> => {
  const { providerId, owner, publicKey, key } = nodes[index] as (typeof nodes)[number];
  const providers = createProviders({ store, books: createJournal({ store }), now });
  for (const command of [
    {
      type: 'register',
      providerId,
      owner,
      infrastructureType: 'edge_devices',
      asn: 1,
      region: 'here',
      tops: 1,
      publicKey,
    },
    {
      type: 'attest',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: '00',
      nonce: '00',
      expiresAt: addSeconds(now(), 3600),
    },
    { type: 'see', presence: 'provider.up', missedHeartbeats: 0 },
    {
      type: 'register-vrf-key',
      vrfKey: bytesToHex(key.publicKey),
      proof: provePossession(key, publicKey),
      addressPrefix: '127.0.0.0/16',
    },
  ] as const) {
    const outcome = await providers.execute(providerId, command, { actor: owner, commandId: command.type });
    if (!outcome.ok) throw new Error(outcome.message);
  }
};

beforeAll(async () => {
  database = await createTestDatabase();
  const address = await temporalAddress();
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  await migrate(database.url);
  const pool = createPool(database.url, { name: 'test-topology', max: 8 });
  store = createPostgresEventStore({ pool });
  sets = createCandidateSets(createPostgresArtifacts({ pool, signer: createSigner([randomBytes(32)]), now }));
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  client = new Client({ connection, dataConverter: clientConverter(COMMAND_KEYS) });
  lifecycles = createLifecycles({ client, store, taskQueue });
  const signer = createCheckpointSigner([randomBytes(32)]);
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: { codePath: await workflowBundle('.aivillage/test-bundles') },
    ...sealedWorker,
    activities: {
      ...createJournalActivities({
        journal: createJournal({ store }),
        lifecycles,
        now,
        effects: {},
        onFault: (_effect, error) => {
          throw error;
        },
      }),
      ...createTopologyActivities({
        store,
        lifecycles,
        sets,
        drawer,
        connected: async () => nodes.slice(0, -1).map(({ providerId }) => providerId),
        newestCheckpoint: async () => {
          // What the projector does beside: the log is signed up to its end.
          await growLog({ pool, signer }, (await store.head()).position);
          return createTransparencyLog(pool).newest();
        },
        now,
      }),
    },
  });
  const running = worker.run();
  stop = async () => {
    await client.schedule.getHandle(`topology-epochs-${settings.network}`).delete();
    worker.shutdown();
    await running;
    await native.close();
    await connection.close();
    await store.close();
    await pool.end();
    await database.drop();
  };
});
afterAll(() => stop());

const openings = async (): Promise<TopologyOpened[]> =>
  (await store.readAll({ after: 0n, limit: 100, types: ['topology.opened'] })).map((event) =>
    domainEventOf<TopologyOpened>(event),
  );

const eventsOf = (epoch: number): Promise<RecordedEvent[]> =>
  store.readStream(topologyStream(settings, epoch));

const find = <T extends TopologyEvent>(events: readonly RecordedEvent[], type: T['type']): T => {
  const event = events.find((each) => each.type === type);
  if (!event) throw new Error(`no ${type}`);
  return domainEventOf<T>(event);
};

/** The events of an epoch once `type` is among them. */
const eventually = (epoch: number, type: TopologyEvent['type'], count = 1): Promise<RecordedEvent[]> =>
  vi.waitFor(
    async () => {
      const events = await eventsOf(epoch);
      expect(events.filter((event) => event.type === type).length).toBeGreaterThanOrEqual(count);
      return events;
    },
    { timeout: 40_000, interval: 100 },
  );

describe('the topology', () => {
  it('R93: is not opened for a network without keys; with the first key the running epoch and the next are', async () => {
    await client.workflow.execute('openEpochs', {
      workflowId: `open-epochs-${taskQueue}`,
      taskQueue,
      args: [settings],
    });
    expect(await openings()).toEqual([]);
    const schedule = await keepTopologySchedule(client, taskQueue, settings);
    for (let index = 0; index < NODES; index++) await enlist(index);
    await schedule.trigger();
    // The next start of a worker takes the standing schedule over.
    await keepTopologySchedule(client, taskQueue, settings);
    const opened = await vi.waitFor(
      async () => {
        const found = await openings();
        expect(found.length).toBeGreaterThanOrEqual(2);
        return found;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(opened[1]?.epoch).toBe((opened[0]?.epoch ?? 0) + 1);
    expect(opened.slice(0, 2).map(({ bootstrap }) => bootstrap)).toEqual([true, true]);
  });

  it('R94, R97: fixes its beacon after its candidates, and records a verified draw of every node in reach', async () => {
    const epoch = (await openings())[1]?.epoch ?? 0;
    const events = await eventually(epoch, 'topology.neighbours-selected', NODES - 1);
    const committed = find<CandidatesCommitted>(events, 'topology.candidates-committed');
    const fixed = find<BeaconFixed>(events, 'topology.beacon-fixed');
    expect(committed.candidateCount).toBe(NODES);
    expect(fixed.source.kind).toBe('checkpoint');
    const covering = events.find(({ type }) => type === 'topology.candidates-committed')?.position ?? 0n;
    expect(BigInt(fixed.source.size)).toBeGreaterThanOrEqual(covering);
    expect(fixed.beacon).toBe(bytesToHex(beaconFrom(settings.network, epoch, fixed.source)));

    const set = await sets.load(committed.candidateSet, committed.candidateRoot);
    const commitment = commitmentOf({ network: settings.network, epoch, ...committed, ...fixed });
    const drawn = events
      .filter(({ type }) => type === 'topology.neighbours-selected')
      .map((event) => domainEventOf<NeighboursSelected>(event));
    expect(new Set(drawn.map(({ nodeId }) => nodeId)).size).toBe(NODES - 1);
    for (const { nodeId, neighbours } of drawn) {
      const again = await drawer.draw(commitment, set, nodeId);
      if (!again.ok) throw new Error(again.message);
      expect(recordOf(again.value).neighbours).toEqual(neighbours);
      expect(verifyNeighbours(again.value, commitment)).toMatchObject({ valid: true, nodeId, neighbours });
      expect(new Set(neighbours).size).toBe(8);
      expect(neighbours).not.toContain(nodeId);
    }
  });

  it('takes the draw of a node that comes later, once', async () => {
    const epoch = (await openings()).at(-1)?.epoch ?? 0;
    const events = await eventually(epoch, 'topology.beacon-fixed');
    const committed = find<CandidatesCommitted>(events, 'topology.candidates-committed');
    const fixed = find<BeaconFixed>(events, 'topology.beacon-fixed');
    const commitment = commitmentOf({ network: settings.network, epoch, ...committed, ...fixed });
    const set = await sets.load(committed.candidateSet, committed.candidateRoot);
    const late = nodes.at(-1)?.providerId ?? '';
    const drawn = await drawer.draw(commitment, set, late);
    if (!drawn.ok) throw new Error(drawn.message);
    const stream = topologyStream(settings, epoch);
    const send = (commandId: string) =>
      lifecycles.execute(stream, recordOf(drawn.value), {
        commandId,
        actor: 'engine',
        correlationId: stream,
        causationId: stream,
        traceparent: null,
      });
    expect(await send('late')).toMatchObject({ ok: true, state: 'active' });
    expect(await send('late')).toMatchObject({ ok: true });
    expect(await send('again')).toMatchObject({ ok: false, code: 'CONFLICT' });
  });

  it('R93: goes on by its schedule, two epochs overlapping, each ended after the next', async () => {
    const first = (await openings())[1] as TopologyOpened;
    const events = await eventually(first.epoch, 'topology.ended');
    const opened = await openings();
    expect(opened.length).toBeGreaterThanOrEqual(3);
    const next = opened.find(({ epoch }) => epoch === first.epoch + 1) as TopologyOpened;
    expect(isBefore(next.startsAt, first.holdsUntil)).toBe(true);
    // The exception for a new network is over after its third epoch, wherever in an epoch it began.
    const settled = opened.find(({ epoch }) => epoch === first.epoch + 2) as TopologyOpened;
    expect(settled.bootstrap).toBe(false);
    expect(settled.registrationClosesAt).toBe(epochStart(first.epoch + 1, settings.epochSeconds));
    const stream = topologyStream(settings, first.epoch);
    expect(foldStream(stream, events)).toMatchObject({ value: 'ended' });
    const beacons = await Promise.all(
      [first.epoch, next.epoch].map(async (epoch) =>
        find<BeaconFixed>(await eventually(epoch, 'topology.beacon-fixed'), 'topology.beacon-fixed'),
      ),
    );
    expect(beacons[0]?.beacon).not.toBe(beacons[1]?.beacon);
  });
});
