/**
 * A node's reservation is its half of the award (settled 37): it lasts until the award can no longer be taken, and the
 * engine says when that is.
 */

/** Seconds a submitter has to take an award that it bought on its own. */
export const ALLOCATION_SECONDS = 120;

/**
 * Longest time from the taking of an award to the last enclave asked for under it, seconds: forming the quorum and
 * launching, each within its own limit (domain/job/machine.ts), and a minute for what is between them.
 */
export const LAUNCH_SECONDS = 360;

/** What became of a bid, as far as its node has to know. */
export interface BidOutcome {
  readonly won: boolean;
  /** Until when the award may be taken, for one that no job has taken yet. */
  readonly takenBy?: string;
}
