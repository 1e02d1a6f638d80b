import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { createApp } from '../../../api/app.ts';
import { createSignIn } from '../../../api/auth/sign-in.ts';
import type { Route } from '../../../api/define-route.ts';
import { createHealth } from '../../../api/health.ts';
import { createOwnership } from '../../../api/log-access/ownership.ts';
import { createVisibleLog } from '../../../api/log-access/visible-log.ts';
import { createMetrics } from '../../../api/metrics.ts';
import { openApiDocument, VERSION } from '../../../api/openapi.ts';
import { createRateLimiter } from '../../../api/rate-limit.ts';
import { createHub } from '../../../api/realtime/hub.ts';
import { createRoutes } from '../../../api/routes/index.ts';
import { createWatch } from '../../../api/watch.ts';
import { MAX_OPEN_AUCTIONS } from '../../../domain/auction/asking.ts';
import { MAX_WAITING_JOBS } from '../../../domain/job/waiting.ts';
import { instant } from '../../../domain/time.ts';
import { createCheckpoints } from '../../../projections/checkpoints.ts';
import { jobsUnderWay } from '../../../projections/jobs/queries.ts';
import { listProviders } from '../../../projections/providers/queries.ts';
import { READ_MODELS } from '../../../projections/read-models.ts';
import { prepareReadModels } from '../../../projections/runner.ts';
import { createAnchoredHeads } from '../../anchor/anchored.ts';
import { createMeteredModules } from '../../artifacts/metered-modules.ts';
import { createMeteringOf } from '../../artifacts/metering-of.ts';
import { createPostgresArtifacts } from '../../artifacts/postgres.ts';
import { createBidDesk } from '../../bidding/bid-desk.ts';
import { createBidViews } from '../../bidding/bid-views.ts';
import type { Config } from '../../config/config.ts';
import { createPostgresEventStore } from '../../event-store/postgres/store.ts';
import { createIdempotencyKeys } from '../../idempotency/keys.ts';
import { newUlid } from '../../ids/new-id.ts';
import { createJournal } from '../../journal/journal.ts';
import { createAccessTokens } from '../../keys/access-tokens.ts';
import { createChallenges } from '../../keys/challenges.ts';
import { createCredentials, PRINCIPALS_CHANGED } from '../../keys/credentials.ts';
import { createEnrolment } from '../../keys/enrolment.ts';
import { readKeyFile } from '../../keys/key-file.ts';
import { createNonces } from '../../keys/nonces.ts';
import { openSigner } from '../../keys/open-signer.ts';
import { createQuoteTokens } from '../../keys/quote-tokens.ts';
import { createSealing } from '../../keys/sealing.ts';
import { createSubjectStreams } from '../../keys/subject-streams.ts';
import { createSubjects } from '../../keys/subjects.ts';
import { createObservationEvidence } from '../../observation/evidence.ts';
import { createObservations } from '../../observation/observations.ts';
import { neighboursReported } from '../../p2p/heartbeats.ts';
import { createChainHashes } from '../../postgres/chain-hashes.ts';
import { followNews } from '../../postgres/news.ts';
import { createPool } from '../../postgres/pool.ts';
import { createTurns } from '../../postgres/turns.ts';
import { reportPresence } from '../../processes/presence.ts';
import { createAttestationJudge } from '../../providers/attestation-judge.ts';
import { createAttestor } from '../../providers/attestor.ts';
import { createBonds } from '../../providers/bonds.ts';
import { boundToChips, createChips } from '../../providers/chips.ts';
import { createProviders } from '../../providers/providers.ts';
import { auctionsOfQueue, isLiveEnclave, isOpenAuction, isWaitingJob } from '../../quota/held-places.ts';
import { createPlaces } from '../../quota/places.ts';
import { createProxies } from '../../rate-limits/proxies.ts';
import { sharedWindows } from '../../rate-limits/shared-windows.ts';
import { createInspection } from '../../sandbox/inspection.ts';
import { createSlaCredits } from '../../sla/sla-credits.ts';
import { trustedRoots } from '../../tee/trusted-roots.ts';
import { createLifecycles } from '../../temporal/lifecycles.ts';
import { createRemoteGateway } from '../../temporal/remote-gateway.ts';
import { clientConverter, readCommandKeys } from '../../temporal/sealed-payloads.ts';
import { TASK_QUEUE } from '../../temporal/task-queue.ts';
import { createTransparencyLog } from '../../tlog/transparency-log.ts';
import { createCandidateSets } from '../../topology/candidate-sets.ts';
import { createDrawer } from '../../topology/drawer.ts';
import { createVerifier } from '../../verification/verifier.ts';
import { createAcceptances } from '../../zk/acceptances.ts';
import { createDevProver } from '../../zk/dev-prover.ts';
import { createPublishedKeys } from '../../zk/published-keys.ts';
import { withPatience } from '../worker/patience.ts';
import { healthComponents } from './components.ts';
import { type Listening, listen } from './listen.ts';
import { projectionLag } from './read-model-health.ts';

const POOL_SIZE = 16;
const SWEEP_MS = 3_600_000;

/**
 * Builds the API of `config` and serves it. It starts before Temporal is there, and waits for PostgreSQL.
 * @throws the reason of `stop` when that aborts meanwhile.
 */
export const startApi = async (
  config: Config,
  logger: Logger,
  taskQueue: string = TASK_QUEUE,
  stop: AbortSignal = new AbortController().signal,
): Promise<Listening> => {
  const now = (): string => instant(Date.now());
  /** Requests that wait are answered now, and others should go elsewhere; `stopping` is when all are answered. */
  const leaving = new AbortController();
  const stopping = new AbortController();
  const keys = (name: string) => readKeyFile(join(config.home, 'keys', name));
  const [masterKey] = await keys('master.key');
  if (!masterKey) throw new Error('the data directory has no master key: run npm start once');
  const signer = openSigner(join(config.home, 'keys', 'engine.key'), {
    onFault: (fault) => logger.error({ fault }, 'the engine keeps its keys'),
    // A key that was withdrawn takes its tokens with it.
    onChange: () => credentials.forget(),
  });
  const roots = await trustedRoots(config);

  const onError = (error: Error): void => logger.warn({ err: error }, 'a connection was lost');
  const pool = createPool(config.databaseUrl, { name: 'api', max: POOL_SIZE, onIdleError: onError });
  const store = createPostgresEventStore({
    pool,
    onFault: (fault, error) => logger.warn({ err: error }, fault),
  });
  const head = await withPatience(logger, 'PostgreSQL', stop, async () => {
    await prepareReadModels(pool, READ_MODELS);
    return store.head();
  });
  const connection = Connection.lazy({ address: config.temporalAddress });
  const client = new Client({
    connection,
    namespace: config.temporalNamespace,
    dataConverter: clientConverter(await readCommandKeys(config.home)),
  });
  const lifecycles = createLifecycles({ client, store, taskQueue });

  const tokens = createAccessTokens({ signer, now, newId: newUlid });
  const changes = followNews({
    pool,
    channel: PRINCIPALS_CHANGED,
    onFault: (fault, error) => logger.warn({ err: error }, fault),
  });
  const credentials = createCredentials({ pool, tokens, now, changes });
  const enrolment = createEnrolment({ pool, store, now });
  const limitsPool = createPool(config.databaseUrl, { name: 'api limits', max: 1, onIdleError: onError });
  const windows = sharedWindows({
    pool: limitsPool,
    onFault: (fault, error) => logger.warn({ err: error }, fault),
  });
  const limiter = createRateLimiter(config.rateLimits, windows);
  const idempotency = await createIdempotencyKeys({ pool, masterKey, onError });
  const checkpoints = createCheckpoints({ pool });
  const onFault = (fault: string, error: unknown): void => logger.warn({ err: error }, fault);
  const journal = createJournal({ store, turns: createTurns({ pool, name: 'ledger', onFault }) });
  const providers = createProviders({ store, books: journal, now });
  const artifacts = createPostgresArtifacts({
    pool,
    signer,
    now,
    quotaBytes: config.artifactQuotaBytes,
  });
  const meteredModules = createMeteredModules({ pool, signer });
  const inspectModule = createInspection();
  const verifier = createVerifier();

  const lag = async () =>
    Object.fromEntries(
      (await projectionLag({ pool, store })).map(({ projection, lag: events }) => [
        projection,
        Number(events),
      ]),
    );
  const metrics = createMetrics({ lag });
  const ownership = createOwnership(store);
  const hub = createHub({ store, ownership, logger, from: head.position });

  const transparency = createTransparencyLog(pool);

  const gateway = createRemoteGateway({ client, taskQueue });
  let document: string | null = null;
  const devProver = config.zkDevProver
    ? createDevProver({ directory: join(config.home, 'zk', 'files'), artifacts })
    : null;
  const routes: readonly Route[] = createRoutes({
    anchored: createAnchoredHeads(pool),
    anchoring: config.anchoring.rpcUrl !== null,
    acceptances: createAcceptances({ store, now }),
    artifacts,
    auctionPlaces: createPlaces({
      pool,
      kind: 'auction',
      limit: MAX_OPEN_AUCTIONS,
      needs: isOpenAuction(store),
      givenTo: auctionsOfQueue(pool),
    }),
    waitingPlaces: createPlaces({
      pool,
      kind: 'waiting',
      limit: MAX_WAITING_JOBS,
      needs: isWaitingJob(store),
    }),
    enclavePlaces: createPlaces({
      pool,
      kind: 'enclave',
      limit: config.enclavesPerCreator,
      needs: isLiveEnclave(store),
    }),
    attestor: createAttestor({
      gateway,
      judge: boundToChips(
        createAttestationJudge({ artifacts, roots, now }),
        createChips({ store, books: journal, now }),
      ),
    }),
    bidDesk: createBidDesk({
      lifecycles,
      tRef: config.tRef,
      sealing: createSealing({ pool, masterKey }),
      ...createBidViews({
        store,
        providers,
        providersOf: async (owner) =>
          (await listProviders(pool, { owner })).map(({ providerId }) => providerId),
        now,
      }),
    }),
    bonds: createBonds({ store, providers, now }),
    books: journal,
    build: { version: VERSION, node: process.version },
    chainHashes: createChainHashes(pool),
    checkpoints,
    credentials,
    db: pool,
    devProver,
    document: async () => {
      document ??= JSON.stringify(await openApiDocument(routes));
      return document;
    },
    health: createHealth({
      components: healthComponents({
        pool,
        store,
        signer,
        transparency,
        connection,
        now,
        network: config.topology.network,
        anchoring: config.anchoring.rpcUrl !== null,
        expected: config.expected,
        leaving: leaving.signal,
      }),
      now,
    }),
    inspectModule,
    lag,
    lifecycles,
    meteredModules,
    meteringOf: createMeteringOf(meteredModules, inspectModule),
    metrics,
    nonces: createNonces(pool),
    now,
    observed: createObservationEvidence({ observations: createObservations(pool), now }),
    ownersOf: ownership.ownersOf,
    providers,
    publishedKeys: createPublishedKeys(store),
    quotes: createQuoteTokens({ signer, now }),
    queues: async () => {
      const { queued, running } = await jobsUnderWay(pool);
      return { jobs_queued: queued, jobs_running: running };
    },
    requireHardware: config.requireHardware,
    tRef: config.tRef,
    roots,
    signer,
    signIn: createSignIn({
      credentials,
      tokens,
      challenges: createChallenges({ pool, now }),
      enrolment,
      openRoles: config.openProviderEnrolment ? ['provider'] : [],
    }),
    slaCredits: createSlaCredits(store),
    store,
    subjects: createSubjects({
      pool,
      streams: createSubjectStreams({ store, now }),
      enrolment,
      credentials,
    }),
    topology: {
      network: config.topology.network,
      sets: createCandidateSets(artifacts),
      drawer: createDrawer({ gateway }),
      reported: async (providerId) => (await neighboursReported(pool, [providerId])).get(providerId) ?? null,
    },
    transparency,
    verifier,
    visibleLog: createVisibleLog({ store, ownership }),
    watch: createWatch(hub, leaving.signal),
  });
  const api = createApp({
    routes,
    hub,
    metrics,
    logger,
    origins: [config.apiUrl],
    proxies: createProxies(config.trustedProxies),
    credentials,
    limiter,
    idempotency,
    now,
  });

  const following = hub.run(stopping.signal);
  const sweeping = setInterval(() => {
    void idempotency.sweep().catch(onError);
    void artifacts.sweep().catch(onError);
  }, SWEEP_MS);
  const listening = await listen(api, config.port);
  const presence = reportPresence({
    databaseUrl: config.databaseUrl,
    kind: 'api',
    instance: config.instance,
    onFault: (fault, error) => logger.warn({ err: error }, fault),
  });
  return {
    port: listening.port,
    stop: async () => {
      // Requests first, for they use everything below; what follows the log, then connections.
      leaving.abort();
      await Promise.all([listening.stop(), presence.leave()]);
      clearInterval(sweeping);
      signer.close();
      stopping.abort();
      await following;
      await Promise.all([devProver?.close(), verifier.close()]);
      await Promise.all([changes.close(), idempotency.close(), checkpoints.close(), connection.close()]);
      await store.close();
      windows.close();
      await Promise.all([pool.end(), limitsPool.end()]);
    },
  };
};
