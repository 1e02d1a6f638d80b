import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Pool } from 'pg';
import { createAuctionActivities } from '../../activities/auction.ts';
import { createJournalActivities } from '../../activities/journal.ts';
import { createQueueActivities } from '../../activities/queue.ts';
import { createQuorumActivities } from '../../activities/quorum.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { CommandMeta } from '../../domain/ports/lifecycles.ts';
import { requiredStake } from '../../domain/provider/stake.ts';
import type { InfrastructureType } from '../../domain/tiers.ts';
import { addSeconds } from '../../domain/time.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { createSealing } from '../../infra/keys/sealing.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createProviderMarket } from '../../infra/providers/provider-market.ts';
import { createProviders } from '../../infra/providers/providers.ts';
import { createJobQueue } from '../../infra/queue/job-queue.ts';
import { createSolver } from '../../infra/solver/solver.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { createLifecycles } from '../../infra/temporal/lifecycles.ts';
import { clientConverter } from '../../infra/temporal/sealed-payloads.ts';
import { STICKY_TIMEOUT } from '../../infra/temporal/task-queue.ts';
import { COMMAND_KEYS, sealedWorker } from './command-keys.ts';

export const now = (): string => new Date().toISOString();

export const metaOf = (commandId: string, actor = 'engine'): CommandMeta => ({
  commandId,
  actor,
  correlationId: commandId,
  causationId: commandId,
  traceparent: null,
});

let runtimeInstalled = false;

export interface EngineOptions {
  readonly databaseUrl: string;
  readonly address: string;
  /** One of its own unless given: to share it with other processes. */
  readonly taskQueue?: string;
  /** Activities beside those of auctions and quorums. */
  readonly activities?: (pool: Pool) => object;
  /** Stands between the engine and its store. */
  readonly wrap?: (store: EventStore) => EventStore;
  /** Longest wait for the answer to a command, ms. */
  readonly timeoutMs?: number;
}

/** Everything an auction or a quorum needs: a store on `databaseUrl` and a worker on a task queue of its own. */
export const openEngine = async ({
  databaseUrl,
  address,
  taskQueue = `test-${randomBytes(6).toString('hex')}`,
  activities,
  wrap = (store) => store,
  timeoutMs,
}: EngineOptions) => {
  if (!runtimeInstalled) Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  runtimeInstalled = true;
  await migrate(databaseUrl);
  const pool = createPool(databaseUrl, { name: 'test-engine', max: 24 });
  const store = wrap(createPostgresEventStore({ pool }));
  const journal = createJournal({ store });
  const providers = createProviders({ store, books: journal, now });
  const market = createProviderMarket({ providers, now });
  const sealing = createSealing({ pool, masterKey: randomBytes(32) });
  const solver = createSolver();
  const connection = await NativeConnection.connect({ address });
  const effects = {
    ...activities?.(pool),
    ...createAuctionActivities({ sealing, market, solver, askRoom: async () => 'held', now }),
    ...createQuorumActivities({ store, solver }),
    ...createQueueActivities({ queue: { ask: (job) => queue.ask(job) }, now }),
  };
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection, dataConverter: clientConverter(COMMAND_KEYS) });
  const lifecycles = createLifecycles({
    client,
    store,
    taskQueue,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const startWorker = async (): Promise<() => Promise<void>> => {
    const worker = await Worker.create({
      connection,
      taskQueue,
      workflowBundle: { codePath: await workflowBundle('.aivillage/test-bundles') },
      ...sealedWorker,
      stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT,
      activities: {
        ...effects,
        ...createJournalActivities({ journal, lifecycles, effects, now, onFault: () => undefined }),
      },
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  let stopWorker = await startWorker();

  const queue = createJobQueue({ pool, lifecycles, now, onError: () => undefined });

  return {
    store,
    pool,
    journal,
    providers,
    sealing,
    lifecycles,
    client,
    taskQueue,

    /** Pays `amount` micro-units in from outside. */
    async fund(principal: string, amount: bigint): Promise<void> {
      const id = randomBytes(8).toString('hex');
      const entry: LedgerEntry = transfer(
        'credit',
        account.external,
        account.available(principal),
        toMicro(amount),
        id,
      );
      const context = {
        occurredAt: now(),
        actor: 'test',
        correlationId: id,
        causationId: id,
        traceparent: null,
      };
      const posted = await journal.post([entry], context);
      if (!posted.ok) throw new Error(posted.message);
    },

    /** Pays in and locks the stake that bids of a provider of `owner` take. */
    async stake(providerId: string, owner: string, tops: number): Promise<void> {
      const amount = requiredStake(tops);
      await this.fund(owner, BigInt(amount));
      const caller = { actor: owner, commandId: `stake/${providerId}` };
      const outcome = await providers.execute(providerId, { type: 'lock-stake', amount }, caller);
      if (!outcome.ok) throw new Error(outcome.message);
    },

    /** A provider as awards know it: registered, attested, funded. */
    async provider(
      index: number,
      infrastructureType: InfrastructureType,
    ): Promise<{ providerId: string; owner: string }> {
      const providerId = `provider-${randomBytes(8).toString('hex')}`;
      const owner = `subject-${randomBytes(8).toString('hex')}`;
      const commands = [
        {
          type: 'register',
          providerId,
          owner,
          infrastructureType,
          asn: 64_500 + index,
          region: `region-${index}`,
          tops: 1000,
          publicKey: randomBytes(32).toString('hex'),
        },
        {
          type: 'attest',
          platform: 'amd_sev_snp',
          label: 'simulated',
          reportHash: '00',
          nonce: '00',
          expiresAt: addSeconds(now(), 3600),
        },
      ] as const;
      for (const command of commands) {
        const outcome = await providers.execute(providerId, command, {
          actor: owner,
          commandId: `${command.type}/${providerId}`,
        });
        if (!outcome.ok) throw new Error(outcome.message);
      }
      await this.fund(owner, 100_000_000n);
      return { providerId, owner };
    },

    /** Does `work` while no worker runs. */
    async withoutWorker<T>(work: () => Promise<T>): Promise<T> {
      await stopWorker();
      const result = await work();
      stopWorker = await startWorker();
      return result;
    },

    async stop(): Promise<void> {
      await stopWorker();
      await solver.close();
      await connection.close();
      await clientConnection.close();
      await store.close();
      await pool.end();
    },
  };
};

export type Engine = Awaited<ReturnType<typeof openEngine>>;
