import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadAllOptions } from '../domain/ports/event-store.ts';
import { NO_STREAM } from '../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../infra/event-store/memory/store.ts';
import { sampleEvent } from '../test/contract/events.ts';
import { readPages } from './catch-up.ts';

test('pages hold every handled event once, in order, and each looks at a bounded part of the log', async () => {
  const rare = fc.uniqueArray(fc.integer({ min: 1, max: 45_000 }), { maxLength: 20 });
  const range = fc.tuple(fc.integer({ min: 0, max: 45_000 }), fc.integer({ min: 0, max: 45_000 }));
  const events = Array.from({ length: 45_000 }, (_, index) => index + 1);
  await fc.assert(
    fc.asyncProperty(rare, range, fc.boolean(), async (positions, [after, until], isDense) => {
      const store = createMemoryEventStore();
      await store.append({
        stream: 'sample-1',
        expectedRevision: NO_STREAM,
        events: events.map((position) =>
          sampleEvent(
            {},
            { type: positions.includes(position) === isDense ? 'sample.other' : 'sample.wanted' },
          ),
        ),
      });
      const looks: ReadAllOptions[] = [];
      const watched = {
        readAll: (options: ReadAllOptions) => {
          looks.push(options);
          return store.readAll(options);
        },
      };
      const found: number[] = [];
      let checkpoint = BigInt(after);
      for await (const page of readPages(watched, ['sample.wanted'], BigInt(after), BigInt(until))) {
        expect(page.to).toBeGreaterThan(checkpoint);
        expect(page.events.length).toBeLessThanOrEqual(1000);
        checkpoint = page.to;
        found.push(...page.events.map(({ position }) => Number(position)));
      }
      const wanted = events.filter((position) => positions.includes(position) !== isDense);
      expect(found).toEqual(wanted.filter((position) => position > after && position <= until));
      expect(checkpoint).toBe(BigInt(Math.max(after, until)));
      for (const look of looks) expect(Number((look.to as bigint) - look.after)).toBeLessThanOrEqual(20_000);
    }),
    { numRuns: 6 },
  );
});
