import { msToNumber } from '@temporalio/common/lib/time.js';
import {
  type ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  log,
  TimeoutFailure,
} from '@temporalio/workflow';
import {
  type Answered,
  type Call,
  type FailedAttempt,
  FORGED_FAILURE,
  isForged,
  isSameCall,
} from '../domain/ports/seals.ts';
import { msBetween } from '../domain/time.ts';
import { now } from './clock.ts';

/** @throws ApplicationFailure for what no holder of the key has said; it ends a workflow at once, or refuses an update. */
export const refuseForged = (isTrue: boolean, what: string): void => {
  if (!isTrue) throw ApplicationFailure.nonRetryable(`nobody who may has said this: ${what}`, FORGED_FAILURE);
};

/**
 * Asks an activity until it answers itself: anybody who reaches Temporal may complete one in its place.
 * @param ask gives the activity its input and the call
 */
export const answerTo = async <Answer>(
  call: Call,
  ask: (call: Call) => Promise<unknown>,
): Promise<Answer> => {
  for (;;) {
    const said = await ask(call);
    // What the activities of a bench or of a recorded history answered is not bound to a call.
    if (!isForged(said)) {
      const { call: answered, answer } = (said ?? {}) as Partial<Answered>;
      if (answered === undefined) return said as Answer;
      if (isSameCall(answered, call)) return answer as Answer;
    }
    log.warn('an answer that the activity has not given', { ...call });
  }
};

/** How an activity may come to fail for good. */
export interface Endurance {
  /** Attempts that it has; unbounded when absent. */
  readonly attempts: number | undefined;
  /** Shortest time after which Temporal gives up waiting for one of them, ms. */
  readonly attemptMs: number;
}

/**
 * The message of an activity that has failed for good; null when it was somebody else who said so, whom Temporal passes on
 * with any kind of failure. A time-out is believed when as much time has passed as all its attempts take to run out.
 * @param asked when the activity was asked (RFC 3339)
 */
export const failureOf = (
  { cause }: ActivityFailure,
  call: Call,
  { attempts, attemptMs }: Endurance,
  asked: string,
): string | null => {
  if (cause instanceof TimeoutFailure)
    return attempts !== undefined && msBetween(asked, now()) >= attempts * attemptMs ? cause.message : null;
  if (!(cause instanceof ApplicationFailure)) return null;
  const failed = cause.details?.at(-1) as FailedAttempt | undefined;
  if (!failed || isForged(failed) || !isSameCall(failed.call, call)) return null;
  const isLast = failed.nonRetryable || (attempts !== undefined && failed.attempt >= attempts);
  return isLast ? failed.message : null;
};

/** How long an activity with these options endures. */
export const enduranceOf = ({
  retry,
  startToCloseTimeout,
  heartbeatTimeout,
}: ActivityOptions): Endurance => ({
  attempts: retry?.maximumAttempts,
  attemptMs: msToNumber(heartbeatTimeout ?? startToCloseTimeout ?? 0),
});
