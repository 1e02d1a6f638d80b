import type { NoPlace } from './places.ts';

export interface WaitingPlaces {
  /** Waits for a place for `holder`: what gives it back, once; or why there is none. */
  take(holder: string): Promise<(() => void) | NoPlace>;
}

export interface WaitingPlacesOptions {
  /** Places, and how many may wait for one. */
  readonly total: number;
  readonly waiting: number;
  /** Most of one holder, those that wait included. */
  readonly each: number;
  /** Longest wait, ms. */
  readonly patienceMs: number;
}

interface Waiter {
  readonly holder: string;
  answer(place: (() => void) | NoPlace): void;
}

/**
 * A bounded number of places in this process, for which a bounded number waits. A place that is given back goes to whoever
 * holds the fewest, the first to come among them; where too many wait, whose holder has most is told so: however many a few
 * ask for, who asks for one gets it.
 */
export const createWaitingPlaces = ({
  total,
  waiting,
  each,
  patienceMs,
}: WaitingPlacesOptions): WaitingPlaces => {
  const held = new Map<string, number>();
  /** In the order in which they came. */
  const line = new Set<Waiter>();
  let taken = 0;

  const heldBy = (holder: string): number => held.get(holder) ?? 0;
  const askedBy = (holder: string): number =>
    heldBy(holder) + [...line].filter((waiter) => waiter.holder === holder).length;

  const give = (holder: string): (() => void) => {
    taken += 1;
    held.set(holder, heldBy(holder) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      taken -= 1;
      const left = heldBy(holder) - 1;
      if (left > 0) held.set(holder, left);
      else held.delete(holder);
      if (line.size === 0) return;
      const next = [...line].reduce((best, waiter) =>
        heldBy(waiter.holder) < heldBy(best.holder) ? waiter : best,
      );
      next.answer(give(next.holder));
    };
  };

  const wait = (holder: string): Promise<(() => void) | NoPlace> =>
    new Promise((resolve) => {
      const waiter: Waiter = {
        holder,
        answer: (place) => {
          clearTimeout(timer);
          line.delete(waiter);
          resolve(place);
        },
      };
      const timer = setTimeout(() => waiter.answer('all'), patienceMs);
      line.add(waiter);
    });

  return {
    take: async (holder) => {
      if (askedBy(holder) >= each) return 'own';
      if (taken < total) return give(holder);
      const place = wait(holder);
      if (line.size > waiting)
        // The last to come among them: who has waited longest is next.
        [...line]
          .reduce((most, waiter) => (askedBy(waiter.holder) >= askedBy(most.holder) ? waiter : most))
          .answer('all');
      return place;
    },
  };
};
