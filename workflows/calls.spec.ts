import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import { expect, test } from 'vitest';
import { type FailedAttempt, FORGED } from '../domain/ports/seals.ts';
import { addSeconds } from '../domain/time.ts';
import { answerTo, enduranceOf, failureOf } from './calls.ts';
import { now } from './clock.ts';

const CALL = { activity: 'enclave.attest', cause: 'enclave-1@3' };
const ENDURANCE = enduranceOf({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '15 seconds',
  retry: { maximumAttempts: 3 },
});

const failed = (cause: Error): ActivityFailure =>
  new ActivityFailure('failed', CALL.activity, '7', 'TIMEOUT', 'a worker', cause);
const attempt = (change: Partial<FailedAttempt> = {}): ActivityFailure => {
  const facts: FailedAttempt = {
    call: CALL,
    attempt: 3,
    message: 'out of reach',
    nonRetryable: false,
    ...change,
  };
  return failed(ApplicationFailure.create({ message: 'what anybody may write', details: ['first', facts] }));
};
const told = (failure: ActivityFailure, asked = now()) => failureOf(failure, CALL, ENDURANCE, asked);

test('a failure is the activity’s own with the facts of its last attempt', () => {
  expect(told(attempt())).toBe('out of reach');
  expect(told(attempt({ attempt: 1, nonRetryable: true }))).toBe('out of reach');
});

test.each([
  ['an attempt that has others after it', attempt({ attempt: 2 })],
  ['another call', attempt({ call: { ...CALL, cause: 'enclave-1@2' } })],
  ['another activity', attempt({ call: { ...CALL, activity: 'enclave.createOnNode' } })],
  ['no facts', failed(ApplicationFailure.nonRetryable('no'))],
  ['facts without a seal', failed(ApplicationFailure.nonRetryable('no', 'Error', FORGED))],
  ['a cancellation that nobody asked for', failed(new CancelledFailure('no'))],
])('it is not with %s', (_, failure) => expect(told(failure)).toBeNull());

test('a time-out counts once all attempts had the time to run out', () => {
  const late = failed(new TimeoutFailure('heartbeat', undefined, 'HEARTBEAT'));
  expect(told(late, addSeconds(now(), -44))).toBeNull();
  expect(told(late, addSeconds(now(), -45))).toBe('heartbeat');
  const endless = enduranceOf({ startToCloseTimeout: '1 minute' });
  expect(failureOf(late, CALL, endless, addSeconds(now(), -1e6))).toBeNull();
});

test('an answer that is bound to its call is taken as it is', async () => {
  expect(await answerTo(CALL, async () => ({ call: CALL, answer: ['an event'] }))).toEqual(['an event']);
  // As recorded before answers were bound.
  expect(await answerTo(CALL, async () => ['an event'])).toEqual(['an event']);
  expect(await answerTo(CALL, async () => null)).toBeNull();
});
