import { betaShare } from './beta.ts';
import { type Evidence, hasWaited, rememberedAt } from './opinion.ts';
import { PRIOR_WEIGHT } from './subjective-logic.ts';

/** Evidence that a price of risk follows from. */
export interface RiskEvidence {
  readonly positive: number;
  readonly negative: number;
}

const UNKNOWN_EVIDENCE: RiskEvidence = { positive: 0, negative: 0 };
/**
 * What a bond has a bad record count for: a tenth of a fault, so that a newcomer comes first, and whoever delivers only
 * for as long as the bond lasts has fewer tasks fail than a new name would (`npm run sim -- trust`, bonded return).
 */
const BONDED_EVIDENCE: RiskEvidence = { positive: 0, negative: 0.1 };

/**
 * How many deliveries a fault of weight 1 outweighs where risk is priced: who delivers eight times for each loss is as
 * likely as not worth its price. Found by `npm run sim -- trust`, with the three constants below: it is what ends a record
 * of 50 deliveries after four losses, and still leaves honest providers, who lose 3 runs of 100, in the market.
 */
const FAULT_WEIGHT = 8;
/**
 * What is expected of who is unknown. Below one half, so that a new identity is worth less than an unknown one; as high as
 * whitewashing allows, for it is what an honest newcomer has to live on until it is known.
 */
const UNKNOWN = 0.4;
/** Millionths: standings are told in them. */
export const FULL = 1_000_000;
/** Who stands here or higher is as good as everybody: price alone decides among them. */
export const GOOD_STANDING = FULL / 2;

const DECIMALS = 1e6;
const rounded = (value: number): number => Math.round(value * DECIMALS) / DECIMALS;

const priorOf = ({ positive, negative }: RiskEvidence) => ({
  alpha: positive + PRIOR_WEIGHT * UNKNOWN,
  beta: FAULT_WEIGHT * negative + PRIOR_WEIGHT * (1 - UNKNOWN),
});

const knownAt = (evidence: Evidence, now: string): RiskEvidence => {
  const { positive, negative } = rememberedAt(evidence, now);
  return { positive: rounded(positive), negative: rounded(negative) };
};

const isWorseThanUnknown = (known: RiskEvidence): boolean => {
  const { alpha, beta } = priorOf(known);
  return alpha / (alpha + beta) < UNKNOWN;
};

/**
 * The evidence that prices a provider's risk at `now`, to 6 decimals. Who has waited 30 days since its last fault is no
 * worse than unknown, and who has posted a bond little worse (settled 39).
 */
export const riskEvidence = (evidence: Evidence, now: string, isBonded = false): RiskEvidence => {
  const known = knownAt(evidence, now);
  if (!isWorseThanUnknown(known)) return known;
  if (hasWaited(evidence, now)) return UNKNOWN_EVIDENCE;
  return isBonded && known.negative > BONDED_EVIDENCE.negative ? BONDED_EVIDENCE : known;
};

/**
 * Whether a provider is barred at `now`: its record is worse than none, so that the gate refuses it, or its risk is priced
 * above a newcomer's, which leaves it next to no work.
 */
export const isBarred = (evidence: Evidence, now: string): boolean =>
  !hasWaited(evidence, now) && isWorseThanUnknown(knownAt(evidence, now));

/**
 * How well a provider stands, 0 to `GOOD_STANDING` in millionths: the quantile `luck` (0 to 1) of the Beta distribution
 * that the evidence supports, which is Thompson sampling with one draw for a whole market. With luck little is asked of
 * who is little known, and so it gets its chances; without, much.
 */
export const standingOf = (evidence: RiskEvidence, luck: number): number => {
  const { alpha, beta } = priorOf(evidence);
  const reaches = (standing: number): boolean => betaShare(standing / FULL, alpha, beta) <= luck;
  if (reaches(GOOD_STANDING)) return GOOD_STANDING;
  let [low, high] = [0, GOOD_STANDING];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reaches(middle)) low = middle;
    else high = middle;
  }
  return low;
};
