import type { Pool } from 'pg';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { UPCASTERS } from '../../../domain/schema-versions.ts';
import type { Upcasters } from '../../../domain/upcasters.ts';
import { createPool } from '../../postgres/pool.ts';
import { prepareAppend } from '../request.ts';
import { heads, subscription } from '../subscription.ts';
import { createWakeups } from '../wakeups.ts';
import { createAppender } from './appender.ts';
import { listen, type OnFault } from './notifications.ts';
import { createReader } from './reader.ts';
import { withRetries } from './retries.ts';
import { createSnapshots } from './snapshots.ts';

export type PostgresEventStoreOptions = {
  /** The domain's own unless given: a process cannot forget them. */
  readonly upcasters?: Upcasters;
  /** How long an append is retried while the server is away, in ms; default 30,000. */
  readonly retryForMs?: number;
  /** Longest time a subscription goes without asking the log, in ms; default 5,000. */
  readonly pollMs?: number;
  /** Told of every fault that the store overcomes by itself, for the log of the process. */
  readonly onFault?: OnFault;
} & (
  | { readonly pool: Pool }
  /** Opens a pool of its own, which `close` ends. */
  | { readonly url: string }
);

const POOL_SIZE = 8;
/**
 * A step of a lifecycle is a few commits in a row; nobody who follows needs them one by one. Read models are told of them
 * sooner, for whoever wrote may read at once; those who pass events on, to sockets and nodes, have more of them together.
 */
const REST_MS = { heads: 20, events: 100 };

/** The log in PostgreSQL (schema `log` of the migrations). One appender per process: create one store and share it. */
export const createPostgresEventStore = (options: PostgresEventStoreOptions): EventStore => {
  const { upcasters = UPCASTERS, retryForMs = 30_000, pollMs = 5_000, onFault = () => undefined } = options;
  const pool =
    'pool' in options
      ? options.pool
      : createPool(options.url, {
          name: 'event-store',
          max: POOL_SIZE,
          onIdleError: (error) => onFault('an idle connection was lost', error),
        });
  const closing = new AbortController();
  const wakeups = createWakeups();
  const reader = createReader(pool, upcasters);
  const snapshots = createSnapshots(pool);
  const appender = createAppender({
    pool,
    reader,
    retryForMs,
    onFault,
    onCommitted: wakeups.advance,
  });
  let listening: Promise<void> | null = null;
  let closed: Promise<void> | null = null;

  const close = async (): Promise<void> => {
    await appender.close();
    closing.abort();
    await listening;
    if ('url' in options) await pool.end();
  };

  /** What all who follow the log share: one connection that listens. */
  const following = (after: bigint, signal: AbortSignal, restMs: number) => {
    listening ??= listen(pool, wakeups.advance, onFault, closing.signal);
    const stop = AbortSignal.any([signal, closing.signal]);
    return { stop, follow: { after, signal: stop, wakeups, pollMs, restMs } };
  };

  return {
    append: async (request, origin) => appender.append(prepareAppend([request], origin)),
    appendMany: async (requests, origin) => appender.append(prepareAppend(requests, origin)),
    readStream: reader.stream,
    readStreams: reader.streams,
    listStreams: reader.names,
    findCommands: reader.commands,
    readAll: reader.all,
    head: reader.head,
    subscribe: (after, signal) => {
      const { stop, follow } = following(after, signal, REST_MS.events);
      return subscription({
        ...follow,
        page: (cursor, limit) => withRetries(() => reader.all({ after: cursor, limit }), stop, onFault),
      });
    },
    heads: (after, signal) => {
      const { stop, follow } = following(after, signal, REST_MS.heads);
      return heads({
        ...follow,
        head: () => withRetries(async () => (await reader.head()).position, stop, onFault),
      });
    },
    loadSnapshot: snapshots.load,
    loadSnapshots: snapshots.loadAll,
    snapshotRevisions: snapshots.revisions,
    saveSnapshot: snapshots.save,
    close: () => (closed ??= close()),
  };
};
