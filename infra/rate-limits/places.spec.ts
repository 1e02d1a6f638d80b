import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPlaces, type NoPlace } from './places.ts';

const leaveOf = (place: (() => void) | NoPlace): (() => void) => {
  if (typeof place === 'string') throw new Error(`no place: ${place}`);
  return place;
};

it('tells who has all of its own from those who find all taken', () => {
  const places = createPlaces({ total: 3, each: 2 });
  const first = leaveOf(places.take('a'));
  leaveOf(places.take('a'));
  expect(places.take('a')).toBe('own');
  leaveOf(places.take('b'));
  expect(places.take('b')).toBe('all');
  expect(places.take('c')).toBe('all');
  first();
  first();
  expect(places.taken()).toBe(2);
  leaveOf(places.take('c'));
  expect(places.take('b')).toBe('all');
});

it('whatever comes and goes: never more than there are, never more than each may have, none is lost', () => {
  const step = fc.record({ holder: fc.constantFrom('a', 'b', 'c'), enters: fc.boolean() });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(step),
      (total, each, steps) => {
        const places = createPlaces({ total, each });
        const inside: { holder: string; leave: () => void }[] = [];
        const ofHolder = (name: string) => inside.filter(({ holder }) => holder === name).length;
        for (const { holder, enters } of steps) {
          if (enters) {
            const place = places.take(holder);
            const isFree = inside.length < total && ofHolder(holder) < each;
            expect(typeof place).toBe(isFree ? 'function' : 'string');
            if (typeof place === 'function') inside.push({ holder, leave: place });
          } else {
            const index = inside.findIndex((each) => each.holder === holder);
            if (index >= 0) inside.splice(index, 1)[0]?.leave();
          }
          expect(places.taken()).toBe(inside.length);
        }
      },
    ),
  );
});
