/** Why there is no place: the holder has all of its own, or all are taken. */
export type NoPlace = 'own' | 'all';

export interface Places {
  /** Takes a place for `holder`: what gives it back, once; or why there is none. */
  take(holder: string): (() => void) | NoPlace;
  /** Places that are taken. */
  readonly taken: () => number;
}

/** A bounded number of places in this process, `each` at most for one holder. Nobody waits: who finds none is told so. */
export const createPlaces = ({ total, each }: { total: number; each: number }): Places => {
  const held = new Map<string, number>();
  let taken = 0;
  return {
    taken: () => taken,
    take: (holder) => {
      const own = held.get(holder) ?? 0;
      if (own >= each) return 'own';
      if (taken >= total) return 'all';
      taken += 1;
      held.set(holder, own + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        taken -= 1;
        const left = (held.get(holder) ?? 1) - 1;
        if (left > 0) held.set(holder, left);
        else held.delete(holder);
      };
    },
  };
};
