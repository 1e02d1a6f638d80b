import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reservation } from '../../domain/enclave/events.ts';
import { toMicro } from '../../domain/money.ts';
import { createCapacityBook } from './capacity.ts';

const policy = { pricePerH200Hour: toMicro('1'), floor: toMicro('1'), margin: 0, maxConcurrent: 3 };
const node = { owner: 'subject-1', tops: 1000, memoryMb: 4096 };

const open = (startMs = 0) => {
  let now = startMs;
  const capacity = createCapacityBook({ policy, node, nowMs: () => now });
  return { capacity, pass: (ms: number) => void (now += ms) };
};

/** A book for runs that need next to no memory. */
const book = (startMs = 0) => {
  const { capacity: all, pass } = open(startMs);
  const capacity = {
    ...all,
    load: () => {
      const { slots, tops } = all.load();
      return { slots, tops };
    },
    stand: (auctionId: string, tops: number, closesAtMs: number) =>
      all.stand(auctionId, { tops, memoryMb: 1 }, closesAtMs),
    confirm: (auctionId: string, tops: number) => all.confirm(auctionId, { tops, memoryMb: 1 }),
    occupy: (enclaveId: string, reservation?: Reservation) => all.occupy(enclaveId, 1, reservation),
  };
  return { capacity, pass };
};
type CapacityBook = ReturnType<typeof book>['capacity'];

/** A bid that is about to win. */
const hold = (capacity: CapacityBook, auctionId: string, tops: number, closesAtMs: number): boolean =>
  capacity.stand(auctionId, tops, closesAtMs) && capacity.confirm(auctionId, tops);

describe('capacity', () => {
  it('settled 41: a standing bid holds nothing, however many there are, until it is about to win', () => {
    const { capacity } = book();
    for (let bid = 0; bid < 100; bid++) expect(capacity.stand(`cheap-${bid}`, 1000, 1_000)).toBe(true);
    expect(capacity.load()).toEqual({ slots: 0, tops: 0 });
    expect(capacity.confirm('cheap-7', 1000)).toBe(true);
    expect(capacity.confirm('cheap-7', 1000)).toBe(true);
    expect(capacity.load()).toEqual({ slots: 1, tops: 1000 });
    expect(capacity.confirm('cheap-8', 1000)).toBe(false);
    expect(capacity.confirm('bid by its owner', 1)).toBe(false);
    capacity.release('cheap-7');
    expect(capacity.confirm('cheap-8', 1000)).toBe(true);
    capacity.release('cheap-8');
    expect(capacity.confirm('bid by its owner', 1)).toBe(true);
    expect(capacity.load()).toEqual({ slots: 1, tops: 1 });
  });

  it('settled 44: holds no more runs at once than leave each of them its time', () => {
    const { capacity } = open();
    const size = { tops: 1, memoryMb: 1 };
    expect(capacity.stand('dense', { ...size, mostRuns: 2 }, 1_000)).toBe(true);
    expect(capacity.confirm('dense', size)).toBe(true);
    expect(capacity.stand('denser', { ...size, mostRuns: 1 }, 1_000)).toBe(false);
    expect(capacity.stand('light', { ...size, mostRuns: 9 }, 1_000)).toBe(true);
    expect(capacity.stand('late', { ...size, mostRuns: 9 }, 1_000)).toBe(true);
    expect(capacity.confirm('light', size)).toBe(true);
    // There is a place, but the dense run would be late.
    expect(capacity.confirm('late', size)).toBe(false);
    expect(capacity.occupy('enclave-of-dense', 1, { auctionId: 'dense', tops: 1 })).toBe(true);
    expect(capacity.confirm('late', size)).toBe(false);
    expect(capacity.occupy('created by hand', 1)).toBe(false);
    capacity.vacate('enclave-of-dense');
    expect(capacity.confirm('late', size)).toBe(true);
  });

  it('holds what won without being asked before, as far as there is room', () => {
    const { capacity } = book();
    for (const bid of ['a', 'b']) capacity.stand(bid, 600, 1_000);
    capacity.won('a', 121_000);
    capacity.won('b', 121_000);
    expect(capacity.load()).toEqual({ slots: 1, tops: 600 });
    expect(capacity.occupy('enclave-of-b', { auctionId: 'b', tops: 600 })).toBe(false);
    capacity.release('a');
    expect(capacity.occupy('enclave-of-b', { auctionId: 'b', tops: 600 })).toBe(true);
    expect(capacity.stands('b')).toBe(false);
  });

  it('books memory beside places and TOPS, and an enclave what it may use', () => {
    const { capacity } = open();
    const large = { tops: 1, memoryMb: 3000 };
    expect(capacity.stand('a', large, 1_000) && capacity.confirm('a', large)).toBe(true);
    expect(capacity.load()).toMatchObject({ slots: 1, tops: 1, memoryMb: 3000 });
    expect(capacity.stand('b', { tops: 1, memoryMb: 1097 }, 1_000)).toBe(false);
    expect(capacity.confirm('unknown', { tops: 1, memoryMb: 1097 })).toBe(false);
    expect(capacity.occupy('created by hand', 1097)).toBe(false);
    expect(capacity.occupy('created by hand', 1096)).toBe(true);
    // More than was booked for it is not there.
    expect(capacity.occupy('enclave-of-a', 3001, { auctionId: 'a', tops: 1 })).toBe(false);
    expect(capacity.occupy('enclave-of-a', 3000, { auctionId: 'a', tops: 1 })).toBe(true);
    expect(capacity.load()).toMatchObject({ slots: 2, tops: 1, memoryMb: 4096 });
    capacity.vacate('enclave-of-a');
    // Less than was quoted is enough: the rest is free.
    expect(capacity.stand('c', large, 1_000) && capacity.confirm('c', large)).toBe(true);
    expect(capacity.occupy('enclave-of-c', 64, { auctionId: 'c', tops: 1 })).toBe(true);
    expect(capacity.load()).toMatchObject({ slots: 2, tops: 1, memoryMb: 1160 });
  });

  it('every run takes a place, which is one core, however small it is', () => {
    const { capacity } = open();
    for (const id of ['a', 'b', 'c']) expect(capacity.occupy(id, 1)).toBe(true);
    expect(capacity.load().slots).toBe(policy.maxConcurrent);
    expect(capacity.occupy('d', 1)).toBe(false);
  });

  it('invariant 15: never promises more than there is, whatever happens in whatever order', () => {
    const id = fc.integer({ min: 0, max: 5 }).map(String);
    const step = fc.oneof(
      fc.record({
        do: fc.constantFrom('stand' as const, 'confirm' as const),
        id,
        tops: fc.integer({ min: 1, max: 1200 }),
      }),
      fc.record({
        do: fc.constantFrom('won' as const, 'release' as const, 'vacate' as const),
        id,
      }),
      fc.record({
        do: fc.constant('occupy' as const),
        id,
        claim: fc.option(fc.record({ auctionId: id, tops: fc.integer({ min: 1, max: 1200 }) }), {
          nil: undefined,
        }),
      }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { capacity, pass } = book();
        for (const each of steps) {
          if (each.do === 'pass') pass(each.ms);
          else if (each.do === 'stand') {
            if (!capacity.stands(each.id)) capacity.stand(each.id, each.tops, 10_000);
          } else if (each.do === 'confirm') capacity.confirm(each.id, each.tops);
          else if (each.do === 'occupy') capacity.occupy(each.id, each.claim);
          else capacity[each.do](each.id);
          const load = capacity.load();
          expect(load.slots).toBeLessThanOrEqual(policy.maxConcurrent);
          expect(load.tops).toBeLessThanOrEqual(node.tops);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('frees a loser at once, and an unheard-of bid when its award could no longer be taken', () => {
    const { capacity, pass } = book();
    hold(capacity, 'a', 400, 5_000);
    hold(capacity, 'b', 400, 5_000);
    expect(capacity.load()).toEqual({ slots: 2, tops: 800 });
    capacity.release('a');
    expect(capacity.load()).toEqual({ slots: 1, tops: 400 });
    expect(capacity.unheard('b')).toBe(5_000);
    pass(5_000 + 480_000 - 1);
    expect(capacity.load()).toEqual({ slots: 1, tops: 400 });
    pass(1);
    expect(capacity.load()).toEqual({ slots: 0, tops: 0 });
    expect(capacity.unheard('b')).toBe(null);
  });

  it('settled 37: a winner keeps its place until the award can no longer be taken, so no honest node has to refuse', () => {
    const { capacity, pass } = book();
    hold(capacity, 'a', 900, 1_000);
    pass(1_000);
    // An auction on its own: its submitter has 120 s to take the award.
    capacity.won('a', 121_000);
    pass(119_000);
    expect(hold(capacity, 'b', 900, 200_000)).toBe(false);
    expect(capacity.occupy('created by hand')).toBe(true);
    // Taken at the last moment, launched after members that took their time.
    pass(150_000);
    expect(capacity.occupy('enclave-of-a', { auctionId: 'a', tops: 900 })).toBe(true);
  });

  it('frees what was won as soon as the engine says that nobody will take it', () => {
    const { capacity } = book();
    hold(capacity, 'a', 900, 1_000);
    capacity.won('a', 121_000);
    capacity.release('a');
    expect(capacity.load()).toEqual({ slots: 0, tops: 0 });
  });

  it('keeps an extended auction in mind longer, and the place of a winner', () => {
    const { capacity, pass } = book();
    hold(capacity, 'a', 400, 5_000);
    hold(capacity, 'b', 400, 5_000);
    capacity.extend('a', 20_000);
    // Old news of another engine.
    capacity.extend('a', 5_000);
    capacity.won('b');
    expect(capacity.unheard('a')).toBe(20_000);
    expect(capacity.unheard('b')).toBe(null);
    // Nobody has won the extended one: it will be asked for again.
    expect(capacity.load().slots).toBe(1);
    pass(360_000 - 1);
    expect(capacity.load().slots).toBe(1);
    pass(1);
    expect(capacity.load().slots).toBe(0);
    expect(capacity.confirm('a', 400)).toBe(true);
    pass(140_000);
    expect(capacity.load().slots).toBe(0);
  });

  it('settled 37: an enclave claims the booking of its own auction, however big another one is', () => {
    const { capacity } = book();
    hold(capacity, 'small', 100, 1_000);
    hold(capacity, 'big', 800, 1_000);
    capacity.won('small');
    capacity.won('big');
    expect(capacity.occupy('enclave-of-big', { auctionId: 'big', tops: 800 })).toBe(true);
    expect(capacity.stands('small')).toBe(true);
    expect(capacity.stands('big')).toBe(false);
    expect(capacity.occupy('enclave-of-small', { auctionId: 'small', tops: 100 })).toBe(true);
    capacity.vacate('enclave-of-small');
    // Swapped, 800 would be free now, and a second big job would run beside the first.
    expect(capacity.load()).toEqual({ slots: 1, tops: 800 });
    expect(hold(capacity, 'another big', 800, 2_000)).toBe(false);
  });

  it('counts a claim once, however often it is asked for and whether or not the award was heard of', () => {
    const { capacity, pass } = book();
    hold(capacity, 'early', 100, 1_000);
    hold(capacity, 'unheard', 300, 5_000);
    pass(2_000);
    const own = { auctionId: 'unheard', tops: 300 };
    expect(capacity.occupy('enclave-1', own)).toBe(true);
    expect(capacity.occupy('enclave-1', own)).toBe(true);
    expect(capacity.load()).toEqual({ slots: 2, tops: 400 });
    capacity.won('unheard');
    capacity.release('unheard');
    expect(capacity.load()).toEqual({ slots: 2, tops: 400 });
    capacity.vacate('enclave-1');
    expect(capacity.load()).toEqual({ slots: 1, tops: 100 });
  });

  it('leaves the bookings of others alone: an enclave without one needs room of its own', () => {
    const { capacity } = book();
    hold(capacity, 'winner', 700, 1_000);
    capacity.won('winner');
    expect(capacity.occupy('replacement', { auctionId: 'lost before', tops: 400 })).toBe(false);
    expect(capacity.occupy('replacement', { auctionId: 'lost before', tops: 300 })).toBe(true);
    expect(capacity.load()).toEqual({ slots: 2, tops: 1000 });
    expect(capacity.occupy('created by hand')).toBe(true);
    expect(capacity.occupy('created by hand, too')).toBe(false);
    expect(capacity.occupy('enclave-of-winner', { auctionId: 'winner', tops: 700 })).toBe(true);
  });

  it('has room for an enclave without a bid while a place is free, but not in one that a bid holds', () => {
    const { capacity } = book();
    expect(capacity.occupy('e1')).toBe(true);
    expect(capacity.occupy('e2')).toBe(true);
    hold(capacity, 'a', 400, 5_000);
    expect(capacity.occupy('e3')).toBe(false);
    capacity.release('a');
    expect(capacity.occupy('e3')).toBe(true);
  });
});
