import { expect, it, vi } from 'vitest';
import type { AuctionEvent } from '../../../domain/auction/events.ts';
import { bidOf } from '../../../domain/auction/market.fixture.ts';
import { type DomainEvent, newEvent } from '../../../domain/event.ts';
import type { JobEvent } from '../../../domain/job/events.ts';
import { toMicro, ZERO } from '../../../domain/money.ts';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import { auctionStory } from '../../../test/support/stories/auction.ts';
import { jobStory } from '../../../test/support/stories/job.ts';
import { createMemoryEventStore } from '../../event-store/memory/store.ts';
import { announceAuctions } from './announce.ts';

const AT = '2026-01-01T00:00:00.000Z';

it('announces what opened since the first node could join, even before this began', async () => {
  const store = createMemoryEventStore();
  const context = {
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: 'engine',
    correlationId: 'c',
    causationId: 'c',
    traceparent: null,
  };
  const open = async (seed: number): Promise<string> => {
    const { stream, events } = auctionStory(seed, () => 1);
    const opened = newEvent(events[0] as (typeof events)[number], context);
    await store.append({ stream, expectedRevision: NO_STREAM, events: [opened] });
    return stream;
  };
  await open(1);
  const { position } = await store.head();
  const meanwhile = await open(2);
  const stopping = new AbortController();
  const announced: string[] = [];
  const announcing = announceAuctions({
    store,
    mesh: {
      announce: async ({ auctionId }) => announced.push(auctionId),
      auctionEnded: async () => undefined,
    },
    log: { warn: (facts: unknown) => announced.push(`failed: ${JSON.stringify(facts)}`) },
    after: position,
    signal: stopping.signal,
  });
  await vi.waitFor(() => expect(announced).toHaveLength(1), { timeout: 20_000 });
  const later = await open(3);
  await vi.waitFor(() => expect(announced).toEqual([meanwhile, later]), { timeout: 20_000 });
  stopping.abort();
  await announcing;
});

it('settled 37: says who has to keep a place and until when, and when nobody wants it any more', async () => {
  const store = createMemoryEventStore();
  const context = { occurredAt: AT, actor: 'a', correlationId: 'c', causationId: 'c', traceparent: null };
  const write = (stream: string, event: DomainEvent, after: bigint) =>
    store.append({ stream, expectedRevision: after, events: [newEvent(event, context)] });
  const ended: unknown[] = [];
  const stopping = new AbortController();
  const announcing = announceAuctions({
    store,
    mesh: { announce: async () => 0, auctionEnded: async (...facts) => void ended.push(facts) },
    log: { warn: (facts: unknown) => void ended.push(facts) },
    after: 0n,
    signal: stopping.signal,
  });
  const award: AuctionEvent = {
    type: 'auction.awarded',
    winners: [{ ...bidOf(0, 7), payment: toMicro('8') }],
    verdicts: [],
    total: toMicro('8'),
    predictedAvailability: 1,
    method: 'exact',
    allocateBy: AT,
  };
  await write('auction-1', award, NO_STREAM);
  await write('auction-1', { type: 'auction.lapsed', lapsedAt: AT } as DomainEvent, 0n);
  const { stream, events } = jobStory(1, () => 1);
  const [submitted] = events as readonly JobEvent[];
  const auctionId = submitted?.type === 'job.submitted' ? submitted.auctionId : '';
  await write(stream, submitted as DomainEvent, NO_STREAM);
  const aborted: JobEvent = { type: 'job.aborted', reason: 'CONFLICT', message: '' };
  await write(stream, aborted, 0n);
  const failed: JobEvent = {
    type: 'job.failed',
    reason: 'CONFLICT',
    message: '',
    payouts: [],
    price: ZERO,
    failedAt: AT,
  };
  await write(stream, failed, 1n);
  await vi.waitFor(
    () =>
      expect(ended).toEqual([
        ['auction-1', ['provider-0'], AT],
        ['auction-1', []],
        [auctionId, []],
      ]),
    { timeout: 20_000 },
  );
  stopping.abort();
  await announcing;
});
