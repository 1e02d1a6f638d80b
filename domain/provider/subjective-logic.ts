/**
 * Subjective logic over verified evidence (Jøsang, *Subjective Logic*, 2016): an opinion is belief, disbelief and
 * uncertainty that sum to one, plus a base rate for what is not known.
 */

/** Weight of the non-informative prior. */
export const PRIOR_WEIGHT = 2;
/** Base rate of an unbiased opinion, for which the projected probability equals the Beta mean. */
const NEUTRAL_BASE_RATE = 0.5;

export interface Opinion {
  readonly belief: number;
  readonly disbelief: number;
  readonly uncertainty: number;
  readonly baseRate: number;
  /** P = belief + base rate × uncertainty. */
  readonly probability: number;
  /** α = positive + 1. */
  readonly alpha: number;
  /** β = negative + 1. */
  readonly beta: number;
  /** α ÷ (α + β). */
  readonly mean: number;
}

/** The opinion that an amount of positive and negative evidence, both ≥ 0, supports. */
export const opinionOf = (
  positive: number,
  negative: number,
  baseRate: number = NEUTRAL_BASE_RATE,
): Opinion => {
  const total = positive + negative + PRIOR_WEIGHT;
  const belief = positive / total;
  const uncertainty = PRIOR_WEIGHT / total;
  const alpha = positive + 1;
  const beta = negative + 1;
  return {
    belief,
    disbelief: negative / total,
    uncertainty,
    baseRate,
    probability: belief + baseRate * uncertainty,
    alpha,
    beta,
    mean: alpha / (alpha + beta),
  };
};
