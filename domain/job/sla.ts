import { creditPercentFor } from '../sla/steps.ts';
import { HEARTBEAT_SECONDS, MISSED_HEARTBEATS } from '../tiers.ts';
import { msBetween } from '../time.ts';
import type { SlaVerdict } from './events.ts';

export interface SlaObservation {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly deadline: string;
  /** Members that had to be up at once. */
  readonly requiredUp: number;
  /** Every member of the run, those lost in it included. */
  readonly members: readonly { readonly missedHeartbeats: number }[];
}

const MET = { verdict: 'met', creditPercent: 0 } as const;

/**
 * Judges one job (settled 21): met when it finished before its deadline with at least `requiredUp` members that did not
 * miss three beats. The missed share is that of the heartbeats due, or the time past the deadline as a share of the
 * term where that is more. A run shorter than a heartbeat has no samples and shows so.
 */
export const judgeSla = (observation: SlaObservation): SlaVerdict => {
  const { startedAt, finishedAt, deadline, requiredUp, members } = observation;
  const beats = Math.floor(Math.max(0, msBetween(startedAt, finishedAt)) / (HEARTBEAT_SECONDS * 1000));
  const samples = beats * members.length;
  const missed = members.reduce((sum, member) => sum + Math.min(member.missedHeartbeats, beats), 0);
  const missedBeats = samples === 0 ? 0 : missed / samples;
  const term = Math.max(1, msBetween(startedAt, deadline));
  const overdue = Math.min(1, Math.max(0, msBetween(deadline, finishedAt)) / term);
  const steady = members.filter((member) => member.missedHeartbeats < MISSED_HEARTBEATS).length;
  const missedShare = Math.max(missedBeats, overdue);
  const inTime = msBetween(finishedAt, deadline) > 0;
  return inTime && steady >= requiredUp
    ? { ...MET, samples, missedShare }
    : { verdict: 'missed', samples, missedShare, creditPercent: creditPercentFor(missedShare) };
};
