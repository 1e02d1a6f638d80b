import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import { type Rejection, reject } from '../../domain/errors.ts';
import type { EngineReplies, EngineRequest } from '../../domain/mesh/messages.ts';
import { backoffMs } from './backoff.ts';
import { askEngine, type EngineLink, type WorkRequest } from './engine-link.ts';

export interface Engines {
  /**
   * Asks any joined engine, again and over other connections until one answers or `untilMs` (since 1970) has passed.
   * Refusals that time cannot mend come back at once. Two engines may get to see the same request.
   */
  ask<T extends WorkRequest>(
    request: Extract<EngineRequest, { type: T }>,
    untilMs: number,
  ): Promise<EngineReplies[T] | Rejection>;
}

export interface EnginesDeps {
  readonly links: () => readonly EngineLink[];
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** One try; a large artefact takes its time. */
const TRY_MS = 60_000;
/** An engine that has not answered by then may have stalled: another one is asked beside it. */
const HEDGE_MS = 2_000;
/** Refusals that may pass: the engine starts, is busy, or has not caught up with its own news. */
const PASSING = new Set([
  'RESOURCE_UNAVAILABLE',
  'RESOURCE_NOT_FOUND',
  'RATE_LIMIT_EXCEEDED',
  'INTERNAL_ERROR',
  'AUTHENTICATION_FAILED',
]);

const counts = (reply: object | Rejection): boolean => !('ok' in reply) || !PASSING.has(reply.code);

export const createEngines = ({ links, nowMs, signal }: EnginesDeps): Engines => {
  let turn = 0;

  /** The connections there are now, each time beginning with another one, so that all engines have their share. */
  const connections = (): Connection[] => {
    const joined = links().flatMap((link) => link.joined() ?? []);
    const first = joined.length > 0 ? turn++ % joined.length : 0;
    return [...joined.slice(first), ...joined.slice(0, first)];
  };

  const askOne = async <T extends WorkRequest>(
    connection: Connection,
    request: Extract<EngineRequest, { type: T }>,
    timeoutMs: number,
    stop: AbortSignal,
  ): Promise<EngineReplies[T] | Rejection> => {
    const outcome = await askEngine<T>(connection, request, { timeoutMs, signal: stop });
    if (!outcome.ok) return reject('RESOURCE_UNAVAILABLE', `the engine did not answer (${outcome.failure})`);
    if (outcome.reply.type !== 'refused') return outcome.reply;
    const { code, message, errors } = outcome.reply;
    return reject(code, message, errors);
  };

  /** The first answer that counts, else the last of those that may pass. An engine is asked when the one before has failed, or is slow. */
  const askAll = async <T extends WorkRequest>(
    request: Extract<EngineRequest, { type: T }>,
    untilMs: number,
  ): Promise<EngineReplies[T] | Rejection> => {
    const waiting = connections();
    const asked = new Set<Promise<EngineReplies[T] | Rejection>>();
    const answered = new AbortController();
    const stop = AbortSignal.any([signal, answered.signal]);
    let last: EngineReplies[T] | Rejection = reject('RESOURCE_UNAVAILABLE', 'no engine is connected');
    const askNext = (): void => {
      const connection = waiting.shift();
      if (!connection) return;
      const timeoutMs = Math.min(TRY_MS, Math.max(1, untilMs - nowMs()));
      const asking = askOne(connection, request, timeoutMs, stop).finally(() => asked.delete(asking));
      asked.add(asking);
    };
    try {
      for (askNext(); asked.size > 0; ) {
        const patience = new AbortController();
        const slow = sleep(HEDGE_MS, null, { signal: AbortSignal.any([patience.signal, signal]) }).catch(
          () => null,
        );
        const reply = await Promise.race([...asked, ...(waiting.length > 0 ? [slow] : [])]);
        patience.abort();
        if (reply && counts(reply)) return reply;
        last = reply ?? last;
        askNext();
      }
      return last;
    } finally {
      answered.abort();
    }
  };

  return {
    async ask(request, untilMs) {
      for (let attempt = 0; ; attempt++) {
        const reply = await askAll(request, untilMs);
        if (counts(reply)) return reply;
        const waitMs = backoffMs(Math.min(attempt, 3));
        if (signal.aborted || nowMs() + waitMs >= untilMs) return reply;
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};
