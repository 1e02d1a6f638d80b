export type JobTier = 'silver' | 'gold';

/** How a job went. */
export interface JobRun {
  /** From the start of the call that submits it to its answer; NaN when there was none. */
  readonly submitMs: number;
  /** From the submission to the end that its submitter saw, beyond the auction. */
  readonly beyondAuctionMs: number;
  /** Why it was refused or failed; null when it settled. */
  readonly failure: string | null;
}

/** Runs so many jobs at once, each to its end. */
export type RunJobs = (tier: JobTier, atOnce: number) => Promise<readonly JobRun[]>;

export const AUCTION_SECONDS = 5;
