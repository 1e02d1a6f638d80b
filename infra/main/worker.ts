import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createAuctionActivities } from '../../activities/auction.ts';
import { createEnclaveActivities } from '../../activities/enclave.ts';
import { createJobActivities } from '../../activities/job.ts';
import { createJournalActivities } from '../../activities/journal.ts';
import { createMeshActivities } from '../../activities/mesh.ts';
import { createObservationActivities } from '../../activities/observation.ts';
import { createAskPatiently } from '../../activities/patience.ts';
import { createPredicateActivities } from '../../activities/predicate.ts';
import { createQuorumActivities } from '../../activities/quorum.ts';
import { createTopologyActivities } from '../../activities/topology.ts';
import { instant } from '../../domain/time.ts';
import { epochAt } from '../../domain/topology/epoch.ts';
import { createAnchoredHeads } from '../anchor/anchored.ts';
import { createPostgresArtifacts } from '../artifacts/postgres.ts';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createJournal } from '../journal/journal.ts';
import { createEnrolment } from '../keys/enrolment.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { createNonces } from '../keys/nonces.ts';
import { createSealing } from '../keys/sealing.ts';
import { createSigner } from '../keys/signer.ts';
import { createCollector } from '../observation/collector.ts';
import { createObservations } from '../observation/observations.ts';
import { keepObservationSchedule } from '../observation/schedule.ts';
import { createEngineMesh, type EngineMesh } from '../p2p/engine-mesh.ts';
import { createPeer } from '../p2p/peer.ts';
import { createPool } from '../postgres/pool.ts';
import { createTurns } from '../postgres/turns.ts';
import { createAdmission } from '../providers/admission.ts';
import { createAttestationJudge } from '../providers/attestation-judge.ts';
import { createProviderMarket } from '../providers/provider-market.ts';
import { createProviders } from '../providers/providers.ts';
import { trustedRoots } from '../tee/trusted-roots.ts';
import { workflowBundle } from '../temporal/bundle.ts';
import { createLifecycles } from '../temporal/lifecycles.ts';
import { TASK_QUEUE } from '../temporal/task-queue.ts';
import { createTransparencyLog } from '../tlog/transparency-log.ts';
import { createCandidateSets } from '../topology/candidate-sets.ts';
import { createDrawer } from '../topology/drawer.ts';
import { keepTopologySchedule } from '../topology/schedule.ts';
import { createCircuits } from '../zk/circuits.ts';
import { findToolchain } from '../zk/toolchain.ts';
import { stopSignal } from './stop-signal.ts';
import { announceAuctions } from './worker/announce.ts';
import { createMeshHandlers } from './worker/mesh-handlers.ts';
import { createNeighbourhoods } from './worker/neighbourhoods.ts';
import { createObservationTargets } from './worker/observation-targets.ts';
import { withPatience } from './worker/patience.ts';

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
const [peerSeed] = await keys('engine-peer.key');
if (!masterKey || !peerSeed) throw new Error('the data directory has no keys: run npm start once');
const signer = createSigner(await keys('engine.key'));
const sealing = createSealing({ pool, masterKey });
const artifacts = createPostgresArtifacts({ pool, signer, now });
const nonces = createNonces(pool);
const onFault = (fault: string, error: unknown): void => log.warn({ err: error }, fault);
const journal = createJournal({ store, turns: createTurns({ pool, name: 'ledger', onFault }) });
const providers = createProviders({ store, books: journal, now });
const market = createProviderMarket({ providers, now });
const roots = await trustedRoots(config);
const judge = createAttestationJudge({ artifacts, roots, now });

const connection = await reach('Temporal', () => Connection.connect({ address: config.temporalAddress }));
const client = new Client({ connection, namespace: config.temporalNamespace });
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

const peer = await createPeer({ seed: peerSeed, listen: [`/ip4/127.0.0.1/tcp/${config.meshPort}`] });
const admission = createAdmission({
  providers,
  enrolment: createEnrolment({ pool, store, now }),
  nonces,
  judge,
  requireHardware: config.requireHardware,
  now,
});
const sets = createCandidateSets(artifacts);
const transparency = createTransparencyLog(pool);
const observations = createObservations(pool);
const mesh: EngineMesh = await reach('PostgreSQL', () =>
  createEngineMesh({
    peer,
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
      pool,
      now,
      nodeJoined,
      neighbourhood: createNeighbourhoods({ pool, sets, network: config.topology.network, now }),
    }),
  }),
);

const nativeConnection = await reach('Temporal', () =>
  NativeConnection.connect({ address: config.temporalAddress }),
);
/** Local effects: they may follow the append that asks for them. */
const effects = { ...createAuctionActivities({ sealing, market }), ...createQuorumActivities({ store }) };
const worker = await Worker.create({
  connection: nativeConnection,
  namespace: config.temporalNamespace,
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath: await workflowBundle(join(config.home, 'cache')) },
  shutdownGraceTime: '2 seconds',
  activities: {
    ...effects,
    ...createJournalActivities({
      journal,
      effects,
      onFault: (effect, error) => log.warn({ err: error, effect }, 'an effect failed behind its append'),
    }),
    ...createEnclaveActivities({
      ask: createAskPatiently({ gateway: mesh, detector: mesh.detector }),
      store,
      artifacts,
      nonces,
      judge,
      roots,
      now,
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
    ...createJobActivities({ lifecycles, store, providers, now }),
  },
});

const ended = new AbortController();
const announcing = announceAuctions({ store, mesh, log, signal: AbortSignal.any([stop, ended.signal]) });
// Told to stop while it was made, it takes no work at all.
if (!stop.aborted) {
  stop.addEventListener('abort', () => worker.shutdown(), { once: true });
  log.info({ peerId: peer.peerId }, 'worker ready');
  await worker.run();
}
ended.abort();
await announcing;
await mesh.stop();
await peer.stop();
await nativeConnection.close();
await connection.close();
await store.close();
await pool.end();
log.info('worker stopped');
