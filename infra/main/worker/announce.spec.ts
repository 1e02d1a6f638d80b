import { expect, it, vi } from 'vitest';
import { newEvent } from '../../../domain/event.ts';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import { auctionStory } from '../../../test/support/stories/auction.ts';
import { createMemoryEventStore } from '../../event-store/memory/store.ts';
import { announceAuctions } from './announce.ts';

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
