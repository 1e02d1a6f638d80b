import { createHash, randomBytes } from 'node:crypto';
import { ulidFrom } from '../domain/ids.ts';
import type { IdempotencyKeys, StoredAnswer } from '../infra/idempotency/keys.ts';
import type { ProblemFacts } from './problem.ts';

export const IDEMPOTENCY_HEADER = 'Idempotency-Key';
const KEY = /^[\x21-\x7e]{1,200}$/;

const derived = (...parts: readonly string[]): string =>
  ulidFrom(createHash('sha256').update(parts.join('\n')).digest());

/** The command id of a request: of the caller's key when there is one, so that a retry has the same; else fresh. */
export const commandIdOf = (principal: string, route: string, key: string | undefined): string =>
  `command-${key === undefined ? ulidFrom(randomBytes(32)) : derived('command', principal, route, key)}`;

/** An id that derives from a command. */
export const idFrom = (commandId: string, prefix: string): string =>
  `${prefix}-${derived(commandId, prefix)}`;

export interface KeyedRequest {
  readonly principal: string;
  readonly key: string;
  /** Method and path. */
  readonly target: string;
  readonly body: Uint8Array;
}

export type Outcome =
  | { readonly type: 'answer'; readonly answer: StoredAnswer; readonly replayed: boolean }
  | { readonly type: 'refused'; readonly problem: ProblemFacts };

const refused = (problem: ProblemFacts): Outcome => ({ type: 'refused', problem });

const broken = (rule: string): Outcome =>
  refused({
    code: 'INVALID_REQUEST',
    message: `${IDEMPOTENCY_HEADER}: ${rule}`,
    errors: [{ field: IDEMPOTENCY_HEADER, rule }],
  });

/**
 * Answers a keyed request once. The pending row comes first; the answer is stored when there is one. An answer of 5xx, one of
 * too much at once (429), or an exception gives the key up, so that a retry runs again under the same command id, as it does after a crash. A
 * refusal is stored like a success, also that of a retry: the log answers a command id that it knows with what came of it
 * first, so what is refused now was never done. An answer is given even if it could not be stored.
 */
export const answerOnce = async (
  keys: IdempotencyKeys,
  { principal, key, target, body }: KeyedRequest,
  run: () => Promise<StoredAnswer>,
): Promise<Outcome> => {
  if (!KEY.test(key)) return broken('1 to 200 visible ASCII characters');
  const fingerprint = `${target}\n${createHash('sha256').update(body).digest('hex')}`;
  const claim = await keys.claim(principal, key, fingerprint);
  switch (claim.type) {
    case 'mismatch':
      return broken('already used for another request');
    case 'in-flight':
      return refused({ code: 'CONFLICT', message: 'the first request with this key is still running' });
    case 'answered':
      return { type: 'answer', answer: claim.answer, replayed: true };
    case 'claimed': {
      let answer: StoredAnswer | null = null;
      try {
        answer = await run();
        return { type: 'answer', answer, replayed: false };
      } finally {
        if (answer && answer.status < 500 && answer.status !== 429)
          await keys.complete(principal, key, answer);
        else await keys.release(principal, key);
      }
    }
  }
};
