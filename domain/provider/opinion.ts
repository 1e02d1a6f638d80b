import { msBetween } from '../time.ts';
import type { EvidenceReason } from './events.ts';
import { type Opinion, opinionOf } from './subjective-logic.ts';

/** Strictly above it an opinion is uncertain: 7 observations are (0.222), 8 are not (0.2) (D4). */
export const UNCERTAINTY_THRESHOLD = 0.2;
/** A mean below it raises the flag `trust-low`. */
export const LOW_MEAN = 0.5;
/**
 * Share of the older evidence that stays with each new item. 0.95 bounds the memory to 20 items, so three failures take
 * even the longest record out of the trusted set; at 0.875 and below nobody could ever gather the eight it takes.
 */
export const FORGETTING = 0.95;
/** Evidence decays by e^(−rate × days) while nothing happens, towards the base rate. */
const DAILY_DECAY = 0.001;
/**
 * Below one half: a new identity is worth less than an unknown one. At 0.2 whitewashing costs the network no more than
 * 0.04 failed tasks under this forgetting; at one half it would be 0.06 (`trust.sim`).
 */
export const BASE_RATE = 0.2;

export interface EvidenceWeight {
  readonly positive: number;
  readonly negative: number;
}

/**
 * What each reason counts. A fraud weighs as much as ten lost runs: enough to take a record of any length out of the
 * trusted set at once, because forgetting bounds what stands against it to 1 ÷ (1 − 0.95) = 20.
 */
export const EVIDENCE_WEIGHTS: Readonly<Record<EvidenceReason, EvidenceWeight>> = {
  completed: { positive: 1, negative: 0 },
  deviation: { positive: 0, negative: 10 },
  declared: { positive: 0, negative: 1 },
  attestation: { positive: 0, negative: 2 },
  refusal: { positive: 0, negative: 2 },
  'no-show': { positive: 0, negative: 2 },
  lost: { positive: 0, negative: 1 },
};

/** The evidence on one provider: totals for opinion and flags, and the remembered part for the award gate. */
export interface Evidence {
  readonly positive: number;
  readonly negative: number;
  /** After forgetting, as of `updatedAt`. */
  readonly remembered: { readonly positive: number; readonly negative: number };
  /** Instant of the last item; null before the first. */
  readonly updatedAt: string | null;
}

export const NO_EVIDENCE: Evidence = {
  positive: 0,
  negative: 0,
  remembered: { positive: 0, negative: 0 },
  updatedAt: null,
};

const MS_PER_DAY = 86_400_000;

/** What time leaves of the remembered evidence. A clock behind the last update changes nothing. */
const idleShare = ({ updatedAt }: Evidence, now: string): number =>
  updatedAt === null ? 1 : Math.exp((-DAILY_DECAY * Math.max(0, msBetween(updatedAt, now))) / MS_PER_DAY);

export interface EvidenceItem {
  readonly positive: number;
  readonly negative: number;
  /** RFC 3339 instant of the item. */
  readonly at: string;
}

/** The evidence with one more item. Items arrive in log order; each counts once (the caller checks its id). */
export const withEvidence = (
  evidence: Evidence,
  item: EvidenceItem,
  forgetting: number = FORGETTING,
): Evidence => {
  // A part of an item makes forget a part of it: who does many small jobs does not outlive his faults the sooner.
  const stays = forgetting ** Math.min(1, item.positive + item.negative) * idleShare(evidence, item.at);
  const { remembered } = evidence;
  return {
    positive: evidence.positive + item.positive,
    negative: evidence.negative + item.negative,
    remembered: {
      positive: remembered.positive * stays + item.positive,
      negative: remembered.negative * stays + item.negative,
    },
    updatedAt: item.at,
  };
};

/** The opinion shown and flagged: all evidence ever, undecayed (settled 17). */
export const fullOpinion = ({ positive, negative }: Pick<Evidence, 'positive' | 'negative'>): Opinion =>
  opinionOf(positive, negative);

/** Too little evidence, which is not the same as bad evidence: extra validation is due (R90). */
export const isUncertain = ({ uncertainty }: Pick<Opinion, 'uncertainty'>): boolean =>
  uncertainty > UNCERTAINTY_THRESHOLD;

export const isLow = ({ mean }: Pick<Opinion, 'mean'>): boolean => mean < LOW_MEAN;

/** What is remembered of the evidence at `now`: a pure function of the last update (R92). */
export const rememberedAt = (evidence: Evidence, now: string): Evidence['remembered'] => {
  const share = idleShare(evidence, now);
  const { positive, negative } = evidence.remembered;
  return { positive: positive * share, negative: negative * share };
};

/** The sceptical, forgetful opinion of the award gate at `now`. */
export const gateOpinion = (evidence: Evidence, now: string): Opinion => {
  const { positive, negative } = rememberedAt(evidence, now);
  return opinionOf(positive, negative, BASE_RATE);
};

/** Score that full standing takes (R91). */
export const TRUSTED_SCORE = 0.8;
/** Share of disbelief above which nothing that is unknown could make the provider acceptable. */
const MOST_DISBELIEF = 0.5;
/** No bar outlasts so many days without a new fault (settled 39). */
export const LONGEST_BAR_DAYS = 30;

/** Whether the last fault is long past. Who is barred gets no other item meanwhile, save for work that was under way. */
export const hasWaited = ({ updatedAt }: Evidence, now: string): boolean =>
  updatedAt !== null && msBetween(updatedAt, now) >= LONGEST_BAR_DAYS * MS_PER_DAY;

export interface Admission {
  readonly admitted: boolean;
  /**
   * Admitted on probation: where risk has no price, its awards are limited to the probation share. True for who has too little
   * evidence to qualify, for who fell below the score without being refused, so that there is a way back, and under a bond.
   */
  readonly newcomer: boolean;
  /** Projected probability of the gate's opinion, 0..1. */
  readonly score: number;
  /** Why it is refused; null when admitted. */
  readonly reason: string | null;
}

/**
 * The gate before an award. Refused is who is mostly disbelieved; trusted is who has a score of 0.8 and no uncertainty
 * flag; everybody else competes on probation, and so does who was refused for 30 days, or has posted a bond. What the risk
 * of those admitted adds to their prices is `surchargesOf`. Reading it changes nothing.
 */
export const admits = (evidence: Evidence, now: string, isBonded = false): Admission => {
  const { probability: score, disbelief } = gateOpinion(evidence, now);
  if (disbelief > MOST_DISBELIEF && !isBonded && !hasWaited(evidence, now)) {
    const reason = `trust is too low: disbelief ${disbelief.toFixed(3)} exceeds ${MOST_DISBELIEF}`;
    return { admitted: false, newcomer: false, score, reason };
  }
  const trusted = !isUncertain(fullOpinion(evidence)) && score >= TRUSTED_SCORE;
  return { admitted: true, newcomer: !trusted, score, reason: null };
};
