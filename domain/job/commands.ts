import type { DeadlineCommand } from '../decision.ts';
import type { Micro } from '../money.ts';
import type { TierName } from '../tiers.ts';

/** Submits a job from a verified quote. The escrow (winners × ceiling) is held with it, or it is refused (402). */
export interface SubmitJob {
  readonly type: 'submit';
  readonly jobId: string;
  readonly submitter: string;
  readonly quoteId: string;
  readonly auctionId: string;
  /** True when the submitter had the auction run on its own; its award and escrow are taken over. */
  readonly auctionGiven: boolean;
  readonly tier: TierName;
  readonly tierTableVersion: number;
  readonly requiredTops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  /** TOPS of one H200, as quoted (D1); the default where it is not told. */
  readonly tRef?: number;
  /** Memory that was priced, MiB: no less than `memoryMb`. None from before memory was priced. */
  readonly pricedMemoryMb?: number;
  /** Per winner; the quote's ceiling or a lower maximum. */
  readonly ceiling: Micro;
  readonly codeHash: string;
  readonly args: readonly string[];
  readonly inputHash: string;
  readonly memoryMb: number;
  readonly auctionSeconds: number;
  /** Seconds that it may wait for room; its auction opens at once where that is nothing. */
  readonly maxWaitSeconds?: number;
  readonly allowSimulated: boolean;
  readonly seed: string;
}

/** There is room for the job by now: its auction number `attempt` may open. */
export interface AdmitJob {
  readonly type: 'admit';
  readonly attempt: number;
}

/** A standby's node has agreed to come in. Books its owner's deposit, or is refused (402). */
export interface BindStandby {
  readonly type: 'bind-standby';
  readonly providerId: string;
}

export type JobCommand = SubmitJob | AdmitJob | BindStandby | DeadlineCommand;
