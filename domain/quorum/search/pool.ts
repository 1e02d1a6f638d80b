import { INFRASTRUCTURE_TYPES, type InfrastructureType } from '../../tiers.ts';
import { clash, type SetMember, type SetRules } from '../feasibility.ts';
import type { Candidate } from './problem.ts';
import { type Scale, scaleOf } from './weight.ts';

/**
 * Who may be picked, as columns: row = candidate, in the order (unavailability, weight, order given). A list of rows in
 * ascending order is therefore ascending in unavailability.
 */
export interface Pool<C extends Candidate> {
  readonly candidates: readonly C[];
  readonly unavailability: Float64Array;
  readonly weight: Float64Array;
  /** One column per thing that no two members may share (owner; network and region by the rules), values 0, 1, 2, … */
  readonly keys: readonly Int32Array[];
  readonly ofType: ReadonlyMap<InfrastructureType, Int32Array>;
  readonly scale: Scale;
}

const numbered = <T>(values: readonly T[]): Int32Array => {
  const numbers = new Map<T, number>();
  return Int32Array.from(values, (value) => {
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    return known;
  });
};

/** @param members how many the search may pick. */
export const poolOf = <C extends Candidate>(
  rules: SetRules,
  fixed: readonly SetMember[],
  offered: readonly C[],
  members: number,
): Pool<C> => {
  const free = offered.filter((candidate) => fixed.every((member) => !clash(rules, member, candidate)));
  const scale = scaleOf(
    free.map(({ amount }) => amount),
    members,
  );
  const rows = free
    .map((candidate) => ({ candidate, weight: scale.weigh(candidate.amount, candidate.lot) }))
    .sort((a, b) => a.candidate.unavailability - b.candidate.unavailability || a.weight - b.weight);
  const candidates = rows.map(({ candidate }) => candidate);
  const column = (value: (candidate: C) => string | number) => numbered(candidates.map(value));
  const rowsOf = (type: InfrastructureType): number[] =>
    candidates.flatMap((candidate, row) => (candidate.infrastructureType === type ? [row] : []));
  return {
    candidates,
    unavailability: Float64Array.from(candidates, ({ unavailability }) => unavailability),
    weight: Float64Array.from(rows, ({ weight }) => weight),
    keys: [
      // Where many clash it is the region that most do by: the search branches on the last key first.
      column(({ owner }) => owner),
      ...(rules.distinctAsn ? [column(({ asn }) => asn)] : []),
      ...(rules.distinctRegion ? [column(({ region }) => region)] : []),
    ],
    ofType: new Map(INFRASTRUCTURE_TYPES.map((type) => [type, Int32Array.from(rowsOf(type))])),
    scale,
  };
};

/** Whether two rows may not be in one set. */
export const rowsClash = ({ keys }: Pick<Pool<Candidate>, 'keys'>, a: number, b: number): boolean =>
  keys.some((key) => key[a] === key[b]);
