import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NoPlace } from './places.ts';
import { createWaitingPlaces } from './waiting-places.ts';

const OPTIONS = { total: 2, waiting: 3, each: 3, patienceMs: 1_000 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Place = (() => void) | NoPlace;

/** Asks for places, and tells who has which. */
const asking = (options = OPTIONS) => {
  const places = createWaitingPlaces(options);
  const answers: [holder: string, place: Place][] = [];
  return {
    answers,
    told: (): string[] =>
      answers.map(([holder, place]) => `${holder} ${typeof place === 'string' ? place : 'in'}`),
    leave: (holder: string): void => {
      const [, place] = answers.find(([each, given]) => each === holder && typeof given !== 'string') ?? [];
      if (typeof place === 'function') place();
    },
    ask: async (...holders: string[]): Promise<void> => {
      for (const holder of holders) void places.take(holder).then((place) => answers.push([holder, place]));
      await vi.advanceTimersByTimeAsync(0);
    },
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
};

it('gives places while there are some, and then in the order in which they were asked for', async () => {
  const { ask, told, leave, pass } = asking();
  await ask('a', 'b', 'c', 'd');
  expect(told()).toEqual(['a in', 'b in']);
  leave('a');
  leave('a');
  await pass(0);
  expect(told()).toEqual(['a in', 'b in', 'c in']);
});

it('gives the next one to whoever holds the fewest', async () => {
  const { ask, told, leave, pass } = asking();
  await ask('a', 'a', 'a', 'b');
  leave('a');
  await pass(0);
  expect(told()).toEqual(['a in', 'a in', 'b in']);
});

it('tells a holder that has all of its own, and whoever waits too long', async () => {
  const { ask, told, pass } = asking();
  await ask('a', 'a', 'a', 'a');
  expect(told()).toEqual(['a in', 'a in', 'a own']);
  await pass(999);
  expect(told()).toHaveLength(3);
  await pass(1);
  expect(told().at(-1)).toBe('a all');
  await ask('a');
  expect(told()).toHaveLength(4);
});

it('sends away whose holder has most where too many wait', async () => {
  const { ask, told } = asking({ ...OPTIONS, each: 5 });
  await ask('a', 'a', 'a', 'a', 'a', 'b');
  expect(told()).toEqual(['a in', 'a in', 'a all']);
  await ask('b', 'c');
  expect(told()).toEqual(['a in', 'a in', 'a all', 'a all', 'a all']);
});

it('never gives more places than there are, keeps none back, and answers everybody once', async () => {
  const step = fc.record({ holder: fc.constantFrom('a', 'b', 'c'), leaves: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { ask, answers, pass } = asking();
      const left = new Set<Place>();
      const inside = () => answers.filter(([, place]) => typeof place !== 'string' && !left.has(place));
      let asked = 0;
      for (const { holder, leaves } of steps) {
        const [mine] = inside().filter(([each]) => each === holder);
        if (leaves && mine && typeof mine[1] === 'function') {
          left.add(mine[1]);
          mine[1]();
          await pass(0);
        } else if (!leaves) {
          asked += 1;
          await ask(holder);
        }
        expect(inside().length).toBeLessThanOrEqual(OPTIONS.total);
        // Somebody waits only while all are taken.
        if (answers.length < asked) expect(inside()).toHaveLength(OPTIONS.total);
        expect(asked - answers.length).toBeLessThanOrEqual(OPTIONS.waiting);
      }
      await pass(OPTIONS.patienceMs);
      expect(answers).toHaveLength(asked);
    }),
  );
});
