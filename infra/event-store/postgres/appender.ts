import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { AppendResult } from '../../../domain/ports/event-store.ts';
import { within } from '../../postgres/pool.ts';
import { isTransient } from '../../postgres/transient.ts';
import type { AppendRequest } from '../request.ts';
import { type Batch, isBehind, type Pending, takeBatch } from './batch.ts';
import type { Reader } from './reader.ts';
import { resolveRefused } from './resolve-refused.ts';
import { writeBatch } from './write-batch.ts';

export interface AppenderOptions {
  readonly pool: Pool;
  readonly reader: Pick<Reader, 'commands'>;
  /** How long a request is retried while the server is away, in ms. */
  readonly retryForMs: number;
  /** Called after every commit with the newest position. */
  readonly onCommitted: (position: bigint) => void;
  /** Called when a batch has to be tried again. */
  readonly onFault: (message: string, error: unknown) => void;
}

export interface Appender {
  append(request: AppendRequest): Promise<AppendResult>;
  /** Refuses new requests and waits for those in the lane. */
  close(): Promise<void>;
}

const BACKOFF_MS = { first: 25, most: 1_000 };
/** How long one try waits for a server that may hang, as far as its oldest request has time left. */
const TRY_MS = { least: 1_000, most: 5_000 };

/**
 * Group commit: one lane per process, one transaction per batch. An idle lane flushes at the end of the event loop's turn,
 * a busy one when it frees, so batches grow with the load and a lone append waits for nothing.
 */
export const createAppender = ({
  pool,
  reader,
  retryForMs,
  onCommitted,
  onFault,
}: AppenderOptions): Appender => {
  let queue: Pending[] = [];
  let lane: Promise<void> | null = null;
  let closed = false;
  let backoff = BACKOFF_MS.first;
  let expiry: NodeJS.Timeout | null = null;
  const resolving = new Set<Promise<void>>();

  const start = (): void => {
    lane ??= drain().finally(() => {
      lane = null;
      if (queue.length > 0) start();
    });
  };

  const drain = async (): Promise<void> => {
    while (true) {
      // The callers of this turn, and those just answered, join the batch.
      await nextTurn();
      if (queue.length === 0) return;
      const { batch, rest } = takeBatch(queue);
      queue = rest;
      await commit(batch);
    }
  };

  const commit = async (batch: Batch): Promise<void> => {
    try {
      const outcome = await writeBatch(
        within(pool, tryMs(batch.members)),
        batch.members.map((pending) => pending.request),
      );
      backoff = BACKOFF_MS.first;
      if (outcome.committed) answer(batch, outcome.first);
      else refuse(batch, outcome.refused);
    } catch (error) {
      await recover(batch.members, error);
    }
  };

  const answer = ({ members, tails }: Batch, first: bigint): void => {
    let position = first - 1n;
    for (const pending of members) {
      position += BigInt(pending.request.size);
      pending.resolve({ ok: true, position, replayed: false });
    }
    onCommitted(position);
    const waiting = queue;
    queue = [];
    for (const pending of waiting) {
      if (isBehind(tails, pending.request)) resolve(pending);
      else queue.push(pending);
    }
  };

  const refuse = ({ members }: Batch, refused: ReadonlySet<AppendRequest>): void => {
    const isRefused = ({ request }: Pending) => refused.has(request);
    queue.unshift(...members.filter((pending) => !isRefused(pending)));
    for (const pending of members) if (isRefused(pending)) resolve(pending);
  };

  /** Beside the lane: what a refused request meets is settled by reading. */
  const resolve = (pending: Pending): void => {
    const work = inTime(tryMs([pending]), resolveRefused({ pool, reader }, pending.request))
      .then(
        (result) => (result === null ? retry([pending]) : pending.resolve(result)),
        (error) => recover([pending], error),
      )
      .finally(() => resolving.delete(work));
    resolving.add(work);
  };

  const retry = (members: readonly Pending[]): void => {
    queue.unshift(...members);
    if (queue.length === 0) return;
    start();
    expireLater();
  };

  const giveUpLate = (error: unknown): void => {
    const now = performance.now();
    const waiting = queue;
    queue = waiting.filter(({ deadline }) => deadline > now);
    for (const pending of waiting) if (pending.deadline <= now) pending.reject(unavailable(error));
  };

  /** Who waits behind a lane that waits for the server is answered in time all the same. */
  const expireLater = (): void => {
    const [oldest] = queue;
    if (expiry || !oldest) return;
    const expire = (): void => {
      expiry = null;
      giveUpLate(undefined);
      expireLater();
    };
    expiry = setTimeout(expire, Math.max(0, oldest.deadline - performance.now())).unref();
  };

  /** A lost connection leaves the outcome open: appending again meets the first result or writes it. */
  const recover = async (members: readonly Pending[], error: unknown): Promise<void> => {
    const [first] = members;
    if (!isTransient(error)) {
      if (members.length === 1) return first?.reject(asError(error));
      for (const pending of members) pending.alone = true;
      return retry(members);
    }
    onFault(`append failed, trying again in ${backoff} ms`, error);
    const wait = backoff;
    backoff = Math.min(backoff * 2, BACKOFF_MS.most);
    await sleep(Math.min(wait, Math.max(0, timeLeft(members))));
    queue.unshift(...members);
    giveUpLate(error);
    retry([]);
  };

  return {
    append: (request) => {
      if (closed) return Promise.reject(new Error('the event store is closed'));
      return new Promise((resolve, reject) => {
        queue.push({ request, deadline: performance.now() + retryForMs, alone: false, resolve, reject });
        start();
        expireLater();
      });
    },
    close: async () => {
      closed = true;
      while (lane !== null || resolving.size > 0) await Promise.all([lane, ...resolving]);
      if (expiry) clearTimeout(expiry);
    },
  };
};

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Time that the oldest of `members` has left, ms. */
const timeLeft = (members: readonly Pending[]): number =>
  members.reduce((least, { deadline }) => Math.min(least, deadline), Number.POSITIVE_INFINITY) -
  performance.now();

const tryMs = (members: readonly Pending[]): number =>
  Math.min(TRY_MS.most, Math.max(TRY_MS.least, timeLeft(members)));

const timedOut = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { code: 'ETIMEDOUT' });

/** For work that may be left alone when nobody waits for it any more. */
const inTime = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(timedOut(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const unavailable = (cause: unknown): Error =>
  timedOut('the event store did not answer in time; whether the events were appended is unknown', cause);
