import { upperTail } from '../proof/binomial.ts';
import { creditPercentFor } from '../sla/steps.ts';
import { HEARTBEAT_SECONDS, MISSED_HEARTBEATS } from '../tiers.ts';
import { addSeconds, msBetween } from '../time.ts';
import type { SlaVerdict } from './events.ts';

/** One member's part in a run, by times that the engine has logged (settled 43). */
export interface MemberRun {
  readonly startedAt: string;
  readonly finishedAt: string;
  /** What it had for it. */
  readonly durationSeconds: number;
  /** Most heartbeats that it missed in a row, and all of them. */
  readonly missedInARow: number;
  readonly missedInAll: number;
}

/** Share of beats that a member may miss, one now and then. */
const TOLERATED_SHARE = 0.05;
/** A member has missed too many when so many or more would be as rare as this, did it miss `TOLERATED_SHARE` (exact binomial). */
const SIGNIFICANCE = 0.05;

/** Whether a member was there: never away for three beats on end, and not for more beats in all than chance explains. */
const isSteady = (beats: number, inARow: number, inAll: number): boolean =>
  inARow < MISSED_HEARTBEATS &&
  (inAll < MISSED_HEARTBEATS || upperTail(beats, inAll, TOLERATED_SHARE) >= SIGNIFICANCE);

/**
 * Judges one member (settled 21, 43): met when it finished before its deadline and did not miss too many beats. Its missed
 * share is that of the heartbeats due, or the time past the deadline as a share of the term where that is more. A run
 * shorter than a heartbeat has no samples and shows so.
 */
export const judgeMember = (run: MemberRun): SlaVerdict => {
  const { startedAt, finishedAt, durationSeconds, missedInARow } = run;
  const deadline = addSeconds(startedAt, durationSeconds);
  const samples = Math.floor(Math.max(0, msBetween(startedAt, finishedAt)) / (HEARTBEAT_SECONDS * 1000));
  const missed = Math.min(Math.max(run.missedInAll, missedInARow), samples);
  const term = Math.max(1, msBetween(startedAt, deadline));
  const overdue = Math.min(1, Math.max(0, msBetween(deadline, finishedAt)) / term);
  const missedShare = Math.max(samples === 0 ? 0 : missed / samples, overdue);
  const inTime = msBetween(finishedAt, deadline) > 0;
  return inTime && isSteady(samples, missedInARow, missed)
    ? { verdict: 'met', samples, missedShare, creditPercent: 0 }
    : { verdict: 'missed', samples, missedShare, creditPercent: creditPercentFor(missedShare) };
};

/**
 * Judges a job by its members, each judged by itself: met when at least `requiredUp` of them met their part. What is missed
 * of it is the share of all heartbeats due, or of a late member's time; who was `lost` in the run missed all of its own.
 * The credit is the greatest that a member gives: each is paid by its own verdict.
 */
export const judgeSla = (
  members: readonly SlaVerdict[],
  { requiredUp, lost }: { readonly requiredUp: number; readonly lost: number },
): SlaVerdict => {
  const met = members.filter(({ verdict }) => verdict === 'met').length;
  const longest = Math.max(0, ...members.map(({ samples }) => samples));
  const samples = members.reduce((sum, each) => sum + each.samples, lost * longest);
  const missed = members.reduce((sum, each) => sum + each.samples * each.missedShare, lost * longest);
  const unsampled = members.filter((each) => each.samples === 0).map(({ missedShare }) => missedShare);
  return {
    verdict: met >= requiredUp ? 'met' : 'missed',
    samples,
    missedShare: Math.max(0, ...unsampled, samples === 0 ? 0 : Math.min(1, missed / samples)),
    creditPercent: Math.max(0, ...members.map(({ creditPercent }) => creditPercent)),
  };
};
