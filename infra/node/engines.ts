import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import { type Rejection, reject } from '../../domain/errors.ts';
import type { EngineReplies, EngineRequest } from '../../domain/mesh/messages.ts';
import { backoffMs } from './backoff.ts';
import { askEngine, type EngineLink, type WorkRequest } from './engine-link.ts';

export interface Engines {
  /**
   * Asks any joined engine, again and over other connections until one answers or `untilMs` (since 1970) has passed.
   * Refusals that time cannot mend come back at once.
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
/** Refusals that may pass: the engine starts, is busy, or has not caught up with its own news. */
const PASSING = new Set([
  'RESOURCE_UNAVAILABLE',
  'RESOURCE_NOT_FOUND',
  'RATE_LIMIT_EXCEEDED',
  'INTERNAL_ERROR',
  'AUTHENTICATION_FAILED',
]);

export const createEngines = ({ links, nowMs, signal }: EnginesDeps): Engines => {
  const connections = (): Connection[] =>
    links().flatMap((link) => {
      const connection = link.joined();
      return connection ? [connection] : [];
    });

  return {
    async ask<T extends WorkRequest>(request: Extract<EngineRequest, { type: T }>, untilMs: number) {
      let last: Rejection = reject('RESOURCE_UNAVAILABLE', 'no engine is connected');
      for (let attempt = 0; ; attempt++) {
        for (const connection of connections()) {
          const timeoutMs = Math.min(TRY_MS, Math.max(1, untilMs - nowMs()));
          const outcome = await askEngine<T>(connection, request, { timeoutMs, signal });
          if (!outcome.ok) {
            last = reject('RESOURCE_UNAVAILABLE', `the engine did not answer (${outcome.failure})`);
          } else if (outcome.reply.type !== 'refused') {
            return outcome.reply;
          } else {
            const { code, message, errors } = outcome.reply;
            last = reject(code, message, errors);
            if (!PASSING.has(code)) return last;
          }
        }
        const waitMs = backoffMs(Math.min(attempt, 3));
        if (signal.aborted || nowMs() + waitMs >= untilMs) return last;
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};
