import { expect, test } from 'vitest';
import { createWakeups } from './wakeups.ts';

const never = new AbortController().signal;

test('waits until the log is known to go past the position', async () => {
  const wakeups = createWakeups();
  let woken = false;
  const waiting = wakeups.past(5n, 60_000, never).then(() => {
    woken = true;
  });
  wakeups.advance(5n);
  await Promise.resolve();
  expect(woken).toBe(false);
  wakeups.advance(6n);
  await waiting;
  await wakeups.past(5n, 60_000, never);
});

test('an older position wakes nobody', async () => {
  const wakeups = createWakeups();
  wakeups.advance(9n);
  wakeups.advance(3n);
  await wakeups.past(8n, 60_000, never);
});

test('gives up after the time and on abort', async () => {
  const wakeups = createWakeups();
  await wakeups.past(0n, 1, never);
  const controller = new AbortController();
  const waiting = wakeups.past(0n, 60_000, controller.signal);
  controller.abort();
  await waiting;
  await wakeups.past(0n, 60_000, controller.signal);
});
