import type { Chance } from './chance.ts';
import type { Effort } from './effort.ts';
import type { Pool } from './pool.ts';
import type { Candidate } from './problem.ts';
import type { Shape } from './shape.ts';

/** A part of the search space: for each slot of a shape the rows that may fill it, ascending. */
export interface Box {
  readonly slots: Shape['slots'];
  readonly chance: Chance;
  readonly domains: readonly Int32Array[];
  /** Whether slopes of the chance only grow within (`leastSlopes`); undefined while nobody has looked. */
  readonly convex?: boolean | undefined;
}

export const rowsIn = (domains: readonly Int32Array[]): number =>
  domains.reduce((sum, domain) => sum + domain.length, 0);

/** One row per slot. */
export const leastOf = (domains: readonly Int32Array[]): number[] =>
  domains.map((domain) => domain[0] as number);

export const unavailabilitiesOf = (pool: Pool<Candidate>, rows: readonly number[]): Float64Array =>
  Float64Array.from(rows, (row) => pool.unavailability[row] as number);

/** Slots of one type are alike: only sets with their rows in ascending order are looked at. */
const inOrder = (slots: Shape['slots'], domains: Int32Array[]): void => {
  for (let slot = 1; slot < slots.length; slot++) {
    if (slots[slot] !== slots[slot - 1]) continue;
    const least = (domains[slot - 1] as Int32Array)[0] as number;
    const domain = domains[slot] as Int32Array;
    let from = 0;
    while (from < domain.length && (domain[from] as number) <= least) from++;
    if (from > 0) domains[slot] = domain.subarray(from);
  }
  for (let slot = slots.length - 2; slot >= 0; slot--) {
    if (slots[slot] !== slots[slot + 1]) continue;
    const most = (domains[slot + 1] as Int32Array).at(-1) ?? -1;
    const domain = domains[slot] as Int32Array;
    let to = domain.length;
    while (to > 0 && (domain[to - 1] as number) >= most) to--;
    if (to < domain.length) domains[slot] = domain.subarray(0, to);
  }
};

/** The value that every row of a domain has in a column; null when they differ. */
const commonValue = (key: Int32Array, domain: Int32Array): number | null => {
  const value = key[domain[0] as number] as number;
  for (let index = 1; index < domain.length; index++) if (key[domain[index] as number] !== value) return null;
  return value;
};

/** Fewer values in all slots together than there are slots. */
const tooFewValues = (key: Int32Array, domains: readonly Int32Array[]): boolean => {
  const seen = new Set<number>();
  for (const domain of domains) {
    for (const row of domain) {
      seen.add(key[row] as number);
      if (seen.size >= domains.length) return false;
    }
  }
  return true;
};

const without = (key: Int32Array, value: number, domain: Int32Array): Int32Array =>
  domain.some((row) => key[row] === value) ? domain.filter((row) => key[row] !== value) : domain;

/**
 * Takes rows out that no set of the box can have by the rules of diversity alone. False when no set is left. Rows stay
 * that only a closer look would exclude.
 */
export const separate = (
  { keys }: Pick<Pool<Candidate>, 'keys'>,
  slots: Shape['slots'],
  domains: Int32Array[],
  effort: Effort,
): boolean => {
  const settled = new Set<string>();
  for (let again = true; again; ) {
    again = false;
    inOrder(slots, domains);
    if (domains.some((domain) => domain.length === 0)) return false;
    for (const [at, key] of keys.entries()) {
      for (const [slot, domain] of domains.entries()) {
        if (settled.has(`${at}/${slot}`)) continue;
        const value = commonValue(key, domain);
        if (value === null) continue;
        settled.add(`${at}/${slot}`);
        again = true;
        for (let other = 0; other < domains.length; other++) {
          if (other === slot) continue;
          domains[other] = without(key, value, domains[other] as Int32Array);
          if (domains[other]?.length === 0) return false;
        }
      }
    }
    effort.spend(rowsIn(domains));
  }
  return !keys.some((key) => tooFewValues(key, domains));
};

/**
 * Cuts a box into boxes without common sets, given one row per slot that clash: at most one slot may keep the value they
 * share, so either a certain one has it, or none. Null when no two rows clash.
 */
export const splitAtClash = (
  { keys }: Pick<Pool<Candidate>, 'keys'>,
  domains: readonly Int32Array[],
  rows: readonly number[],
): Int32Array[][] | null => {
  for (const key of keys.toReversed()) {
    const values = rows.map((row) => key[row] as number);
    const value = values.find((each, slot) => values.indexOf(each) !== slot);
    if (value === undefined) continue;
    const others = domains.map((domain) => without(key, value, domain));
    const parts: Int32Array[][] = [others];
    for (const [slot, domain] of domains.entries()) {
      const having = domain.filter((row) => key[row] === value);
      if (having.length > 0) parts.push(others.with(slot, having));
    }
    return parts;
  }
  return null;
};

/** Cuts a box in two between two places of one slot's domain; `at` > 0 begins the second part. */
export const splitAt = (domains: readonly Int32Array[], slot: number, at: number): Int32Array[][] => {
  const domain = domains[slot] as Int32Array;
  return [domains.with(slot, domain.subarray(0, at)), domains.with(slot, domain.subarray(at))];
};
