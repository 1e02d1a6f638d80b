import type { JobResultReceived } from './events.ts';

/** What a verified proof says a member's run ended with. */
export type ResultClaim = Pick<
  JobResultReceived,
  'providerId' | 'proofId' | 'outcome' | 'exitCode' | 'outputHash'
>;

export type Comparison<R extends ResultClaim> =
  /** `accepted` agree, lowest proof id first. `deviants` contradict a strict majority: fraud evidence. */
  | { readonly kind: 'accepted'; readonly accepted: readonly R[]; readonly deviants: readonly R[] }
  /** Two results differ and nothing decides between them: one more member has to run. */
  | { readonly kind: 'one-more' }
  | { readonly kind: 'disagreement' }
  | { readonly kind: 'too-few'; readonly have: number; readonly need: number };

/** A limit is a matter of the node's speed and memory, not of the module: it can deviate without fraud (settled 20). */
const isLimit = ({ outcome }: ResultClaim): boolean => outcome === 'time_limit' || outcome === 'memory_limit';

/** What two results must share to agree. A run cut off at a limit stops at a random byte, so its output does not count. */
const keyOf = (result: ResultClaim): string =>
  isLimit(result) ? result.outcome : `${result.outcome}/${result.exitCode}/${result.outputHash}`;

const compareProofIds = (a: ResultClaim, b: ResultClaim): number => (a.proofId < b.proofId ? -1 : 1);

/**
 * The result rule (settled 19). One winner: its proof counts. Two: both must agree, else one more member decides; a
 * single result left of two counts, for that tier promises one member up. Three and more: a strict majority of the
 * members bought. Only a result that contradicts a strict majority is fraud evidence.
 * @param results one per member, from proofs that verify, at the end of all runs.
 * @param winners members bought; results beyond them raise the majority.
 */
export const compareResults = <R extends ResultClaim>(
  results: readonly R[],
  winners: number,
): Comparison<R> => {
  const groups = [...Map.groupBy(results, keyOf).values()].sort((a, b) => b.length - a.length);
  const largest = groups[0] ?? [];
  const voters = winners <= 2 ? results.length : Math.max(winners, results.length);
  const majority = Math.floor(voters / 2) + 1;
  if (results.length < majority) return { kind: 'too-few', have: results.length, need: majority };
  if (largest.length >= majority) {
    const isFraud = (result: R): boolean =>
      !largest.includes(result) && !isLimit(result) && !largest.some(isLimit);
    return {
      kind: 'accepted',
      accepted: largest.toSorted(compareProofIds),
      deviants: results.filter(isFraud),
    };
  }
  return results.length === 2 && winners <= 2 ? { kind: 'one-more' } : { kind: 'disagreement' };
};
