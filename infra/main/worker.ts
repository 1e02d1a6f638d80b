import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createAuctionActivities } from '../../activities/auction.ts';
import { createEnclaveActivities } from '../../activities/enclave.ts';
import { createJobActivities } from '../../activities/job.ts';
import { createJournalActivities, PROMPT_AT_ONCE } from '../../activities/journal.ts';
import { createMeshActivities } from '../../activities/mesh.ts';
import { createObservationActivities } from '../../activities/observation.ts';
import { createAskPatiently } from '../../activities/patience.ts';
import { createPredicateActivities } from '../../activities/predicate.ts';
import { createQueueActivities } from '../../activities/queue.ts';
import { createQuorumActivities } from '../../activities/quorum.ts';
import { createStandbyActivities } from '../../activities/standby.ts';
import { createTopologyActivities } from '../../activities/topology.ts';
import { instant } from '../../domain/time.ts';
import { epochAt } from '../../domain/topology/epoch.ts';
import { createAnchoredHeads } from '../anchor/anchored.ts';
import { createEnclaveOutputs } from '../artifacts/enclave-outputs.ts';
import { createMeteredModules } from '../artifacts/metered-modules.ts';
import { createMeteringOf } from '../artifacts/metering-of.ts';
import { createPostgresArtifacts } from '../artifacts/postgres.ts';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createJournal } from '../journal/journal.ts';
import { createEnrolment } from '../keys/enrolment.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { readOrMakeKeyFile } from '../keys/make-key-file.ts';
import { createNonces } from '../keys/nonces.ts';
import { openSigner } from '../keys/open-signer.ts';
import { createSealing } from '../keys/sealing.ts';
import { rolesOfKey } from '../keys/standing.ts';
import { createCollector } from '../observation/collector.ts';
import { createObservations } from '../observation/observations.ts';
import { keepObservationSchedule } from '../observation/schedule.ts';
import { enginePeerKeyFile } from '../p2p/engine-address.ts';
import { createEngineMesh, type EngineMesh } from '../p2p/engine-mesh.ts';
import { createPeer } from '../p2p/peer.ts';
import { leaseWorker, type WorkerLease } from '../p2p/worker-lease.ts';
import { createPool } from '../postgres/pool.ts';
import { createTurns } from '../postgres/turns.ts';
import { reportPresence } from '../processes/presence.ts';
import { createAdmission } from '../providers/admission.ts';
import { createAttestationJudge } from '../providers/attestation-judge.ts';
import { createBonds, roomUnderBond } from '../providers/bonds.ts';
import { boundToChips, createChips } from '../providers/chips.ts';
import { createNewcomers } from '../providers/newcomers.ts';
import { createProviderMarket } from '../providers/provider-market.ts';
import { createProviders } from '../providers/providers.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { memoryWindows } from '../rate-limits/windows.ts';
import { createInspection } from '../sandbox/inspection.ts';
import { createSolver } from '../solver/solver.ts';
import { trustedRoots } from '../tee/trusted-roots.ts';
import { workflowBundle } from '../temporal/bundle.ts';
import { createLifecycles } from '../temporal/lifecycles.ts';
import { sealedActivities } from '../temporal/sealed-activities.ts';
import { clientConverter, readCommandKeys, workerConverter } from '../temporal/sealed-payloads.ts';
import { STICKY_TIMEOUT, TASK_QUEUE } from '../temporal/task-queue.ts';
import { createTransparencyLog } from '../tlog/transparency-log.ts';
import { createCandidateSets } from '../topology/candidate-sets.ts';
import { createDrawer } from '../topology/drawer.ts';
import { keepTopologySchedule } from '../topology/schedule.ts';
import { createCircuits } from '../zk/circuits.ts';
import { findToolchain } from '../zk/toolchain.ts';
import { stopSignal } from './stop-signal.ts';
import { announceAuctions } from './worker/announce.ts';
import { forgeryLog } from './worker/forgery-log.ts';
import { createMeshHandlers } from './worker/mesh-handlers.ts';
import { createNeighbourhoods } from './worker/neighbourhoods.ts';
import { createObservationTargets } from './worker/observation-targets.ts';
import { withPatience } from './worker/patience.ts';
import { createAskRoom } from './worker/room.ts';

const config = loadConfig(process.env);
const log = pino({ level: config.logLevel, name: 'worker' });
const now = (): string => instant(Date.now());
const stop = stopSignal(log);
/** Waits for a server. Told to stop meanwhile, this process has begun nothing that it would have to end. */
const reach = <T>(server: string, connect: () => Promise<T>): Promise<T> =>
  withPatience(log, server, stop, connect).catch((error: unknown) => {
    if (!stop.aborted) throw error;
    log.info('worker stopped');
    process.exit();
  });

Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });

const pool = createPool(config.databaseUrl, {
  name: 'worker',
  max: 16,
  onIdleError: (error) => log.warn({ err: error }, 'an idle connection was lost'),
});
const store = createPostgresEventStore({ pool, onFault: (fault, error) => log.warn({ err: error }, fault) });
const keys = (name: string) => readKeyFile(join(config.home, 'keys', name));
const [masterKey] = await keys('master.key');
if (!masterKey) throw new Error('the data directory has no keys: run npm start once');
const [peerSeed] = await readOrMakeKeyFile(enginePeerKeyFile(config.home, config.workerIndex));
const signer = openSigner(join(config.home, 'keys', 'engine.key'), {
  onFault: (fault) => log.error({ fault }, 'the engine keeps its keys'),
});
const sealing = createSealing({ pool, masterKey });
const artifacts = createPostgresArtifacts({ pool, signer, now });
const nonces = createNonces(pool);
const onFault = (fault: string, error: unknown): void => log.warn({ err: error }, fault);
const journal = createJournal({ store, turns: createTurns({ pool, name: 'ledger', onFault }) });
const providers = createProviders({ store, books: journal, now });
const bonds = createBonds({ store, providers, now });
const market = createProviderMarket({ providers, now });
const roots = await trustedRoots(config);
const solver = createSolver();
const judge = boundToChips(
  createAttestationJudge({ artifacts, roots, now }),
  createChips({ store, books: journal, now }),
);

const connection = await reach('Temporal', () => Connection.connect({ address: config.temporalAddress }));
const commandKeys = await readCommandKeys(config.home);
const client = new Client({
  connection,
  namespace: config.temporalNamespace,
  dataConverter: clientConverter(commandKeys),
});
const lifecycles = createLifecycles({ client, store, taskQueue: TASK_QUEUE });

const schedule = await reach('Temporal', () => keepTopologySchedule(client, TASK_QUEUE, config.topology));
await reach('Temporal', () => keepObservationSchedule(client, TASK_QUEUE, config.observation));
let lookedInEpoch = -1;
/** An epoch may have waited for its first node; the schedule itself looks at its turn alone. */
const nodeJoined = (): void => {
  const epoch = epochAt(now(), config.topology.epochSeconds);
  if (epoch === lookedInEpoch) return;
  lookedInEpoch = epoch;
  schedule.trigger().catch((error: unknown) => log.warn({ err: error }, 'the topology could not be opened'));
};

const lease: WorkerLease = await reach('PostgreSQL', async () => {
  const leased = await leaseWorker({
    pool,
    index: config.workerIndex,
    signal: stop,
    onWaiting: () => log.info({ index: config.workerIndex }, 'another process is this worker; waiting'),
    onError: (error) => log.warn({ err: error }, 'the lease of this worker could not be renewed'),
  });
  if (!leased) throw new Error('told to stop');
  return leased;
});
lease.lost.addEventListener('abort', () => {
  log.error({ err: lease.lost.reason }, 'this worker has lost its lease');
  process.exitCode = 1;
});
/** Told to stop, or another process has its place. */
const ending = AbortSignal.any([stop, lease.lost]);
const peer = await createPeer({
  seed: peerSeed as Uint8Array,
  listen: [`/ip4/127.0.0.1/tcp/${config.meshPort}`],
});
await lease.serve({ peerId: peer.peerId, address: peer.addresses()[0] as string });
const admission = createAdmission({
  providers,
  newcomers: createNewcomers({
    rolesOfKey: (publicKey) => rolesOfKey(pool, publicKey),
    openEnrolment: config.openProviderEnrolment,
    windows: memoryWindows(),
  }),
  enrolment: createEnrolment({ pool, store, now }),
  nonces,
  judge,
  requireHardware: config.requireHardware,
  now,
});
const sets = createCandidateSets(artifacts);
const transparency = createTransparencyLog(pool);
const observations = createObservations(pool);
const { position: beforeNodes } = await reach('PostgreSQL', () => store.head());
const mesh: EngineMesh = await reach('PostgreSQL', () =>
  createEngineMesh({
    peer,
    lease,
    pool,
    now,
    onError: (error) => log.warn({ err: error }, 'the mesh met an error'),
    handlers: createMeshHandlers({
      admission,
      providers,
      lifecycles,
      sealing,
      store,
      artifacts,
      outputs: createEnclaveOutputs(pool),
      pool,
      now,
      nodeJoined,
      tRef: config.tRef,
      log,
      neighbourhood: createNeighbourhoods({ pool, sets, network: config.topology.network, now }),
    }),
  }),
);

const nativeConnection = await reach('Temporal', () =>
  NativeConnection.connect({ address: config.temporalAddress }),
);
const ask = createAskPatiently({ gateway: mesh, detector: mesh.detector });
const queue = createJobQueue({
  pool,
  lifecycles,
  now,
  onError: (error) => log.warn({ err: error }, 'the queue of jobs met an error'),
});
/** Effects of lifecycles: those that are declared so follow the append that asks for them. */
const effects = {
  ...createAuctionActivities({
    sealing,
    market,
    solver,
    askRoom: roomUnderBond(createAskRoom({ gateway: mesh }), bonds),
    now,
  }),
  ...createQuorumActivities({ store, solver }),
  ...createEnclaveActivities({
    ask,
    store,
    artifacts,
    meteringOf: createMeteringOf(createMeteredModules({ pool, signer }), createInspection()),
    nonces,
    judge,
    roots,
    now,
  }),
  ...createJobActivities({ lifecycles, store, providers, now, leaveQueue: queue.leave }),
  ...createStandbyActivities({ ask, lifecycles, mayWin: bonds.mayWin }),
  ...createQueueActivities({ queue, now }),
};
const worker = await Worker.create({
  connection: nativeConnection,
  namespace: config.temporalNamespace,
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: await workflowBundle(join(config.home, 'cache')) },
  dataConverter: workerConverter(commandKeys, forgeryLog(log)),
  interceptors: { activity: [sealedActivities] },
  shutdownGraceTime: '2 seconds',
  // Prompt effects hold their tasks while they run: as many again are left for the others.
  maxConcurrentWorkflowTaskExecutions: 2 * PROMPT_AT_ONCE,
  maxConcurrentLocalActivityExecutions: 2 * PROMPT_AT_ONCE,
  stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
  activities: {
    ...effects,
    ...createJournalActivities({
      journal,
      lifecycles,
      effects,
      now,
      onFault: (what, error) => log.warn({ err: error, what }, 'failed behind an append'),
    }),
    ...createMeshActivities({ gateway: mesh }),
    ...createTopologyActivities({
      store,
      lifecycles,
      sets,
      drawer: createDrawer({ gateway: mesh }),
      connected: () => mesh.connected(),
      newestCheckpoint: transparency.newest,
      now,
    }),
    ...createObservationActivities({
      store,
      artifacts,
      observations,
      collector: createCollector({ gateway: mesh, observations, now }),
      targets: createObservationTargets({
        pool,
        network: config.topology.network,
        connected: () => mesh.connected(),
        now,
      }),
      newestHead: transparency.newest,
      anchoredHead: createAnchoredHeads(pool).covering,
      detector: mesh.detector,
      anchoring: config.anchoring.rpcUrl !== null,
      now,
    }),
    ...createPredicateActivities({
      circuits: async () =>
        createCircuits({ directory: join(config.home, 'zk'), toolchain: await findToolchain() }),
      artifacts,
      now,
    }),
  },
});

const ended = new AbortController();
const announcing = announceAuctions({
  store,
  mesh,
  log,
  after: beforeNodes,
  signal: AbortSignal.any([ending, ended.signal]),
});
const lettingOut = queue.run(AbortSignal.any([ending, ended.signal]));
const presence = reportPresence({
  databaseUrl: config.databaseUrl,
  kind: 'worker',
  instance: config.instance,
  onFault: (fault, error) => log.warn({ err: error }, fault),
});
// Told to stop while it was made, it takes no work at all.
if (!ending.aborted) {
  ending.addEventListener('abort', () => worker.shutdown(), { once: true });
  log.info({ index: lease.index, peerId: peer.peerId }, 'worker ready');
  await worker.run();
}
ended.abort();
await presence.leave();
await announcing;
await lettingOut;
await mesh.stop();
await lease.release();
await solver.close();
await peer.stop();
await nativeConnection.close();
await connection.close();
await store.close();
await pool.end();
log.info('worker stopped');
