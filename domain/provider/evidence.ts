import { msBetween } from '../time.ts';
import type { EvidenceReason } from './events.ts';
import { type Opinion, opinionOf } from './opinion.ts';

/**
 * Share of the older evidence that stays with each new item. 0.95 bounds the memory to 20 items, so four failures take
 * even the longest record out of the trusted set; at 0.875 and below nobody could ever gather the eight it takes.
 */
export const FORGETTING = 0.95;
/** Evidence decays by e^(−rate × days) while nothing happens, towards the base rate. */
export const DAILY_DECAY = 0.001;
/** Below one half: a new identity is worth less than an unknown one, which makes whitewashing a loss. */
export const BASE_RATE = 0.3;

/**
 * What each reason counts. A fraud weighs as much as ten lost runs: enough to take a record of any length out of the
 * trusted set at once, because forgetting bounds what stands against it to 1 ÷ (1 − 0.95) = 20.
 */
export const EVIDENCE_WEIGHTS: Readonly<
  Record<EvidenceReason, { readonly positive: number; readonly negative: number }>
> = {
  completed: { positive: 1, negative: 0 },
  deviation: { positive: 0, negative: 10 },
  attestation: { positive: 0, negative: 5 },
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
  const stays = forgetting * idleShare(evidence, item.at);
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
export const fullOpinion = ({ positive, negative }: Evidence): Opinion => opinionOf(positive, negative);

/** The sceptical, forgetful opinion of the award gate at `now`: a pure function of the last update (R92). */
export const gateOpinion = (evidence: Evidence, now: string): Opinion => {
  const share = idleShare(evidence, now);
  return opinionOf(evidence.remembered.positive * share, evidence.remembered.negative * share, BASE_RATE);
};
