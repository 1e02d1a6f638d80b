import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../tiers.ts';
import type { SetMember, SetRules } from '../feasibility.ts';
import type { Pool } from './pool.ts';
import type { Candidate } from './problem.ts';

/** How many members each infrastructure type gives: one slot per member, types in the order of INFRASTRUCTURE_TYPES. */
export interface Shape {
  readonly slots: readonly InfrastructureType[];
  /** No set of the shape weighs less: the sum of the lightest rows, whether or not they clash. */
  readonly least: number;
}

/** Sums of the n lightest rows of a type, for n = 0, 1, … `most`. */
const lightestOf = (pool: Pool<Candidate>, rows: Int32Array, most: number): number[] => {
  const weights = Float64Array.from(rows, (row) => pool.weight[row] as number).sort();
  const sums = [0];
  for (let count = 1; count <= Math.min(most, weights.length); count++)
    sums.push((sums[count - 1] as number) + (weights[count - 1] as number));
  return sums;
};

/** Every choice of types that the rules allow and that has enough rows of each type, lightest first. */
export const shapesOf = (
  rules: SetRules,
  fixed: readonly SetMember[],
  pool: Pool<Candidate>,
  rowsOf: ReadonlyMap<InfrastructureType, Int32Array>,
): Shape[] => {
  const wanted = rules.size - fixed.length;
  const types = INFRASTRUCTURE_TYPES.map((type) => {
    const taken = fixed.filter((member) => member.infrastructureType === type).length;
    const room = Math.min(wanted, (rules.maxPerType ?? rules.size) - taken);
    return { type, taken, sums: lightestOf(pool, rowsOf.get(type) as Int32Array, Math.max(0, room)) };
  });
  const shapes: Shape[] = [];
  const slots: InfrastructureType[] = [];
  const spread = (index: number, different: number, least: number): void => {
    const each = types[index];
    if (each === undefined) {
      if (slots.length === wanted && different >= rules.minimumTypes)
        shapes.push({ slots: [...slots], least });
      return;
    }
    const { type, taken, sums } = each;
    const before = slots.length;
    for (let need = 0; need < sums.length && before + need <= wanted; need++) {
      if (need > 0) slots.push(type);
      spread(index + 1, different + (need + taken > 0 ? 1 : 0), least + (sums[need] as number));
    }
    slots.length = before;
  };
  spread(0, 0, 0);
  return shapes.sort((a, b) => a.least - b.least);
};
