import { dividedBy, type Rational, rationalOf, times } from '../rational.ts';
import { DEFAULT_T_REF } from '../tiers.ts';

/** Memory of one H200: 141 GB (NVIDIA's datasheet). */
const H200_MEMORY_BYTES = 141_000_000_000n;
const BYTES_PER_MB = 1_048_576n;

/** What a run takes of a machine, whose one core it fills. */
export interface Shape {
  readonly requiredTops: number;
  /** MiB that its enclave may use, a whole number; where it was not priced, none. */
  readonly memoryMb?: number | undefined;
}

/** The larger of two fractions. */
export const larger = (a: Rational, b: Rational): Rational =>
  a.numerator * b.denominator >= b.numerator * a.denominator ? a : b;

/**
 * What a shape takes of one H200: its dominant share (Ghodsi et al., Dominant Resource Fairness, NSDI 2011), the larger of
 * its shares of TOPS and of memory. Whoever fills a node's memory pays for the node, however few TOPS it declares.
 * @param tRef TOPS of one H200 (D1)
 * @param utilization of the TOPS, 0..1; memory is taken all the time
 */
export const dominantShare = (
  { requiredTops, memoryMb = 0 }: Shape,
  tRef: number = DEFAULT_T_REF,
  utilization = 1,
): Rational => {
  const tops = dividedBy(times(rationalOf(requiredTops), rationalOf(utilization)), rationalOf(tRef));
  return larger(tops, { numerator: BigInt(memoryMb) * BYTES_PER_MB, denominator: H200_MEMORY_BYTES });
};

/** H200-hours of a share that is taken for `seconds` (R58). */
export const hoursOf = (share: Rational, seconds: number): Rational =>
  times(share, rationalOf(seconds), { numerator: 1n, denominator: 3600n });
