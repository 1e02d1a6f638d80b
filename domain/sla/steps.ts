/** Credit in percent of the fee by missed share, in steps and never more than the fee (settled 21). */
const STEPS = [
  { upTo: 0.1, percent: 10 },
  { upTo: 0.5, percent: 25 },
  { upTo: 1, percent: 100 },
] as const;

/** What a customer gets back for a missed share in (0, 1], in percent of the fee. */
export const creditPercentFor = (missedShare: number): number =>
  STEPS.find(({ upTo }) => missedShare <= upTo)?.percent ?? 100;
