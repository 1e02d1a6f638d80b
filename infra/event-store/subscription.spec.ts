import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import { heads, subscription } from './subscription.ts';
import { createWakeups } from './wakeups.ts';

/** A log of bare positions that counts how often it is asked. */
const countedLog = () => {
  const asked: string[] = [];
  const wakeups = createWakeups();
  let newest = 0n;
  return {
    asked,
    append: (count: number) => {
      newest += BigInt(count);
      wakeups.advance(newest);
    },
    follow: { wakeups, pollMs: 60_000 },
    page: async (after: bigint, limit: number) => {
      asked.push(`${after}+${limit}`);
      const length = Math.min(limit, Number(newest - after));
      return Array.from(
        { length },
        (_, index) => ({ position: after + BigInt(index) + 1n }) as RecordedEvent,
      );
    },
    head: async () => {
      asked.push('head');
      return newest;
    },
  };
};

test('a subscription asks once for what a wake-up tells of, and page by page for what is past', async () => {
  const log = countedLog();
  const { signal } = new AbortController();
  const following = subscription({ ...log.follow, after: 0n, signal, page: log.page });
  const next = async () => (await following.next()).value?.at(-1)?.position;
  log.append(1_500);
  expect([await next(), await next()]).toEqual([1_000n, 1_500n]);
  log.append(2);
  expect(await next()).toBe(1_502n);
  log.append(130);
  expect([await next(), await next()]).toEqual([1_602n, 1_632n]);
  log.append(1);
  expect(await next()).toBe(1_633n);
  expect(log.asked).toEqual(['0+1000', '1000+1000', '1500+100', '1502+100', '1602+1000', '1632+100']);
});

test('heads are told by wake-ups, and the log is asked at the start alone', async () => {
  const log = countedLog();
  const { signal } = new AbortController();
  log.append(3);
  const following = heads({ ...log.follow, after: 0n, signal, head: log.head });
  expect(await following.next()).toEqual({ value: 3n, done: false });
  log.append(1);
  log.append(4);
  expect(await following.next()).toEqual({ value: 8n, done: false });
  const waiting = following.next();
  log.append(1);
  expect(await waiting).toEqual({ value: 9n, done: false });
  expect(log.asked).toEqual(['head']);
});

test('what is committed on the heels of an answer comes together', async () => {
  const log = countedLog();
  const { signal } = new AbortController();
  log.append(1);
  const following = heads({ ...log.follow, restMs: 50, after: 0n, signal, head: log.head });
  expect(await following.next()).toMatchObject({ value: 1n });
  const next = following.next();
  log.append(1);
  await Promise.resolve();
  log.append(1);
  expect(await next).toMatchObject({ value: 3n });
});
