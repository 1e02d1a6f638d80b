import type { Chance } from './chance.ts';
import type { Effort } from './effort.ts';

/** Corners are enumerated up to this many slots; with more of them the slopes are given up (0 is always true). */
const MOST_SLOTS = 6;

/** A second difference above this is no noise of the sum it comes from. */
const NOISE = 1e-14;

/** −∂(chance)/∂u of every slot at one point: exact, since the chance is linear in each unavailability. */
export const slopesAt = (chance: Chance, point: Float64Array): Float64Array => {
  const at = Float64Array.from(point);
  return point.map((value, slot) => {
    at[slot] = 0;
    const up = chance(at);
    at[slot] = 1;
    const slope = Math.max(0, up - chance(at));
    at[slot] = value;
    return slope;
  });
};

/** Calls `visit` with every corner of the box low..high in which the slots of `held` keep what the point has. */
const eachCorner = (
  low: Float64Array,
  high: Float64Array,
  held: readonly number[],
  visit: (corner: Float64Array) => void,
): void => {
  const corner = Float64Array.from(low);
  const free = Array.from(low.keys()).filter((slot) => !held.includes(slot));
  for (let pattern = 0; pattern < 2 ** free.length; pattern++) {
    for (const [bit, slot] of free.entries())
      corner[slot] = ((pattern >> bit) & 1 ? high : low)[slot] as number;
    visit(corner);
  }
};

/** Whether no slope falls anywhere in the box as another member gets worse. Second differences are multilinear too. */
const slopesGrow = (chance: Chance, low: Float64Array, high: Float64Array): boolean => {
  let grow = true;
  for (let a = 0; a < low.length && grow; a++) {
    for (let b = a + 1; b < low.length && grow; b++) {
      eachCorner(low, high, [a, b], (corner) => {
        const at = (first: number, second: number): number => {
          corner[a] = first;
          corner[b] = second;
          return chance(corner);
        };
        if (at(0, 1) + at(1, 0) - at(0, 0) - at(1, 1) < NOISE) grow = false;
      });
    }
  }
  return grow;
};

/**
 * For every slot a slope that is nowhere in the box more than the true one, so that downtime grows at least by
 * Σ slope × step along any path up from `low`. Where slopes only grow (fewer members up make each other one matter
 * more), they are least at `low`; that holds for every box within. Elsewhere the corners tell.
 *
 * @param convex what is known of the box around it: true is inherited.
 */
export const leastSlopes = (
  chance: Chance,
  low: Float64Array,
  high: Float64Array,
  atLow: Float64Array,
  convex: boolean | undefined,
  effort: Effort,
): { readonly slopes: Float64Array; readonly convex: boolean } => {
  const slots = low.length;
  if (convex || slots === 1) return { slopes: atLow, convex: true };
  if (slots > MOST_SLOTS) return { slopes: new Float64Array(slots), convex: false };
  const corners = 2 ** (slots - 2);
  if (convex === undefined) {
    effort.spend(2 * slots * (slots - 1) * corners * STEPS_PER_CHANCE);
    if (slopesGrow(chance, low, high)) return { slopes: atLow, convex: true };
  }
  effort.spend(4 * slots * corners * STEPS_PER_CHANCE);
  const slopes = new Float64Array(slots).fill(Number.POSITIVE_INFINITY);
  for (let slot = 0; slot < slots; slot++) {
    eachCorner(low, high, [slot], (corner) => {
      corner[slot] = 0;
      const up = chance(corner);
      corner[slot] = 1;
      slopes[slot] = Math.max(0, Math.min(slopes[slot] as number, up - chance(corner)));
    });
  }
  return { slopes, convex: false };
};

/** What one question for the chance costs, beside a look at a candidate. */
export const STEPS_PER_CHANCE = 20;
