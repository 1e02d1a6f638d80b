import type { JobProven, JobResultReceived } from './events.ts';

/** What a verified proof says a member's run ended with. */
export type ResultClaim = Pick<
  JobResultReceived,
  'providerId' | 'proofId' | 'outcome' | 'exitCode' | 'outputHash' | 'trap' | 'fuelUsed'
>;

export type Comparison<R extends ResultClaim> =
  /** `accepted` agree, lowest proof id first. `deviants` contradict a strict majority: fraud evidence. */
  | { readonly kind: 'accepted'; readonly accepted: readonly R[]; readonly deviants: readonly R[] }
  /** Two results differ and nothing decides between them: one more member has to run. */
  | { readonly kind: 'one-more' }
  | { readonly kind: 'disagreement' }
  | { readonly kind: 'too-few'; readonly have: number; readonly need: number };

/** Before metering a limit was a matter of the node's speed and memory, and stopped a run at a random byte. */
const isUnmeteredLimit = ({ outcome, fuelUsed }: ResultClaim): boolean =>
  fuelUsed === undefined && (outcome === 'time_limit' || outcome === 'memory_limit');

/** A metered run that its time limit stopped on a machine as fast as promised: it says nothing of the result. */
const isLate = ({ outcome, trap }: ResultClaim): boolean => outcome === 'time_limit' && trap !== undefined;

/** What two results must share to agree: all that a metered run is a function of, its fuel included. */
const keyOf = (result: ResultClaim): string =>
  isUnmeteredLimit(result)
    ? result.outcome
    : [result.outcome, result.exitCode, result.trap, result.fuelUsed, result.outputHash].join('/');

/**
 * Whether a result contradicts the accepted one as no fault of a machine can: both ended in the same way, with another
 * exit code or other output. That one trapped where others exited, or counted other fuel, is never fraud by itself
 * (settled 44): it does not count, and that is all.
 */
const contradicts = (result: ResultClaim, accepted: ResultClaim): boolean =>
  result.outcome === accepted.outcome &&
  !isUnmeteredLimit(result) &&
  (result.exitCode !== accepted.exitCode || result.outputHash !== accepted.outputHash);

const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

const compareProofIds = (a: ResultClaim, b: ResultClaim): number => (a.proofId < b.proofId ? -1 : 1);

/** What the results of runs that came to an end say. `voters`: all whom a majority is counted of. */
const compareEnded = <R extends ResultClaim>(
  results: readonly R[],
  winners: number,
  voters: number,
): Comparison<R> => {
  const groups = [...Map.groupBy(results, keyOf).values()].sort((a, b) => b.length - a.length);
  const largest = groups[0] ?? [];
  const majority = majorityOf(voters);
  if (results.length < majority) return { kind: 'too-few', have: results.length, need: majority };
  if (largest.length >= majority) {
    return {
      kind: 'accepted',
      accepted: largest.toSorted(compareProofIds),
      deviants: results.filter((result) => largest.every((accepted) => contradicts(result, accepted))),
    };
  }
  return results.length === 2 && winners <= 2 ? { kind: 'one-more' } : { kind: 'disagreement' };
};

/**
 * Whether a member is owed for its run: its result was accepted, or its run was out of time, or most were and it was
 * faster than they.
 */
export const isOwed = (
  result: ResultClaim,
  { accepted, outcome }: Pick<JobProven, 'accepted' | 'outcome'>,
): boolean =>
  accepted.includes(result.providerId) ||
  isLate(result) ||
  (outcome === 'time_limit' && result.trap !== undefined);

/**
 * The result rule (settled 19). One winner: its proof counts. Two: both must agree, else one more member decides; a
 * single result left of two counts, for that tier promises one member up. Three and more: a strict majority of the
 * members bought. Only a result that contradicts a strict majority is fraud evidence.
 *
 * A run out of time is nobody's fault and no vote: a result in time counts. Where there is none, of one or two members, or
 * a strict majority of three and more was late, the module is too slow for the time that was declared.
 * @param results one per member, from proofs that verify, at the end of all runs.
 * @param winners members bought; results beyond them raise the majority.
 */
export const compareResults = <R extends ResultClaim>(
  results: readonly R[],
  winners: number,
): Comparison<R> => {
  const late = results.filter(isLate);
  const ended = results.filter((result) => !isLate(result));
  const isSmall = winners <= 2;
  const voters = isSmall ? ended.length : Math.max(winners, results.length);
  const tooSlow = isSmall ? ended.length === 0 && late.length > 0 : late.length >= majorityOf(voters);
  if (tooSlow) return { kind: 'accepted', accepted: late.toSorted(compareProofIds), deviants: [] };
  return compareEnded(ended, winners, voters);
};
