import { type Evidence, fullOpinion, gateOpinion } from './evidence.ts';
import { isUncertain } from './opinion.ts';

/** Score that full standing takes (R91). */
export const TRUSTED_SCORE = 0.8;
/** Share of disbelief above which nothing that is unknown could make the provider acceptable. */
const MOST_DISBELIEF = 0.5;

export interface Admission {
  readonly admitted: boolean;
  /**
   * Admitted on probation: its awards are limited to the probation share (settled 16). True for who has too little
   * evidence to qualify, and for who fell below the score without being refused, so that there is a way back.
   */
  readonly newcomer: boolean;
  /** Projected probability of the gate's opinion, 0..1. */
  readonly score: number;
  /** Why it is refused; null when admitted. */
  readonly reason: string | null;
}

/**
 * The gate before an award, which itself is by price alone (settled 17). Refused is who is mostly disbelieved; trusted is
 * who has a score of 0.8 and no uncertainty flag; everybody else competes on probation. Reading it changes nothing.
 */
export const admits = (evidence: Evidence, now: string): Admission => {
  const { probability: score, disbelief } = gateOpinion(evidence, now);
  if (disbelief > MOST_DISBELIEF) {
    const reason = `trust is too low: disbelief ${disbelief.toFixed(3)} exceeds ${MOST_DISBELIEF}`;
    return { admitted: false, newcomer: false, score, reason };
  }
  const trusted = !isUncertain(fullOpinion(evidence)) && score >= TRUSTED_SCORE;
  return { admitted: true, newcomer: !trusted, score, reason: null };
};
