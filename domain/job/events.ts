import type { OpenedBid, Winner } from '../auction/events.ts';
import type { EnclaveFault, FaultCause, PlatformLabel } from '../enclave/events.ts';
import type { ErrorCode } from '../errors.ts';
import type { Micro } from '../money.ts';
import type { RunOutcome, Trap } from '../proof/record.ts';
import type { Violation } from '../quorum/events.ts';
import type { TierName } from '../tiers.ts';
import type { Compensation } from './non-delivery.ts';

export interface JobSubmitted {
  readonly type: 'job.submitted';
  readonly machineVersion: number;
  readonly jobId: string;
  readonly submitter: string;
  readonly quoteId: string;
  readonly auctionId: string;
  /** True when the submitter had the auction run before; then its award is taken over. */
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
  /** Ceiling per winner: the quote's, or the submitter's lower maximum. */
  readonly ceiling: Micro;
  /** What opening its auction cost; absent where that was paid before, and before machine version 2. */
  readonly openingFee?: Micro;
  readonly winners: number;
  readonly codeHash: string;
  readonly args: readonly string[];
  readonly inputHash: string;
  readonly memoryMb: number;
  readonly auctionSeconds: number;
  /** How long it may wait for room from its submission on; absent where its auction opens at once, and before version 4. */
  readonly maxWaitSeconds?: number;
  readonly allowSimulated: boolean;
  readonly seed: string;
  readonly submittedAt: string;
}

/** There is room for the job: its auction opens. The opening fee is paid with its first (machine version 4). */
export interface JobAdmitted {
  readonly type: 'job.admitted';
  /** Counts its auctions, from 1. */
  readonly attempt: number;
  readonly admittedAt: string;
}

/** Its auction found too few bids while others were served: it waits for another one (machine version 4). */
export interface JobRequeued {
  readonly type: 'job.requeued';
  readonly attempt: number;
  /** The auction to come. */
  readonly auctionId: string;
  /** Of the auction that failed. */
  readonly reason: ErrorCode;
  readonly message: string;
  readonly requeuedAt: string;
}

export interface JobAuctionOpened {
  readonly type: 'job.auction-opened';
  readonly auctionId: string;
  readonly closesAt: string;
}

export interface JobAuctionAwarded {
  readonly type: 'job.auction-awarded';
  readonly auctionId: string;
  readonly winners: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  readonly seed: string;
}

export interface JobQuorumFormed {
  readonly type: 'job.quorum-formed';
  readonly quorumId: string;
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly predictedAvailability: number;
  readonly formedAt: string;
}

/** No feasible replacement: the job goes on with fewer members, below its promised availability. */
export interface JobQuorumDegraded {
  readonly type: 'job.quorum-degraded';
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly violations: readonly Violation[];
}

export interface JobEnclaveAttested {
  readonly type: 'job.enclave-attested';
  readonly providerId: string;
  readonly enclaveId: string;
  readonly label: PlatformLabel;
  readonly attestedAt: string;
}

export interface JobRunStarted {
  readonly type: 'job.run-started';
  readonly startedAt: string;
}

/** A member was lost or at fault. What it costs is decided here, by kind and cause (settled 39). */
export interface JobMemberFailed {
  readonly type: 'job.member-failed';
  readonly providerId: string;
  readonly owner: string;
  readonly bidId: string;
  readonly enclaveId: string;
  readonly fault: EnclaveFault;
  /** As the enclave's failure says; absent where nobody has looked into it. */
  readonly cause?: FaultCause;
  readonly slashed: boolean;
  /** What it loses of its deposit; absent where that is nothing, and before machine version 2, where it was all of it. */
  readonly forfeit?: Micro;
  /** Id of the event that shows the fault. */
  readonly evidenceId: string;
  readonly message: string;
}

/** A standby comes in for a member lost, or decides between two results. From here on it is bound like a winner. */
export interface JobStandbyAccepted {
  readonly type: 'job.standby-accepted';
  readonly providerId: string;
  readonly owner: string;
  readonly bidId: string;
  readonly acceptedAt: string;
}

/** Why a standby does not come in: its node said no or nothing, or its owner cannot pay the deposit. */
export const DECLINE_REASONS = ['refused', 'silent', 'funds'] as const;

/** A standby does not come in, which costs it nothing and is no evidence (settled 38). */
export interface JobStandbyDeclined {
  readonly type: 'job.standby-declined';
  readonly providerId: string;
  readonly owner: string;
  readonly bidId: string;
  readonly reason: (typeof DECLINE_REASONS)[number];
  readonly message: string;
}

export interface JobResultReceived {
  readonly type: 'job.result-received';
  readonly providerId: string;
  readonly enclaveId: string;
  readonly proofId: string;
  readonly outcome: RunOutcome;
  readonly exitCode: number | null;
  readonly outputHash: string;
  /** Of a metered run (record of version 2). */
  readonly trap?: Trap | null;
  readonly fuelUsed?: number;
  readonly missedHeartbeats: number;
  /** All heartbeats missed in the run, and its beginning; absent before machine version 2. */
  readonly missedInAll?: number;
  readonly startedAt?: string;
  /** By the engine's clock; by the node's before machine version 2 (settled 43). */
  readonly finishedAt: string;
}

/** Two results differ and nothing decides between them: one more member runs (settled 19). */
export interface JobResultsDisagreed {
  readonly type: 'job.results-disagreed';
  readonly results: number;
}

export interface SlaVerdict {
  readonly verdict: 'met' | 'missed';
  /** Heartbeat samples the verdict rests on. */
  readonly samples: number;
  /** Missed share, 0..1. */
  readonly missedShare: number;
  /** Share of the fee credited, percent: 0, 10, 25 or 100. */
  readonly creditPercent: number;
}

export interface MemberSla extends SlaVerdict {
  readonly providerId: string;
}

export interface JobProven {
  readonly type: 'job.proven';
  /** The proof shown for the job: the accepted one with the lowest id. */
  readonly proofId: string;
  readonly outcome: RunOutcome;
  readonly exitCode: number | null;
  readonly outputHash: string;
  readonly accepted: readonly string[];
  /** Providers whose verified result deviates from a strict majority: fraud evidence. */
  readonly deviants: readonly string[];
  readonly sla: SlaVerdict;
  /** Of each member by itself, which is paid by it; absent in events of old, where all were paid by `sla`. */
  readonly memberSla?: readonly MemberSla[];
  readonly provenAt: string;
}

export interface Payout {
  readonly providerId: string;
  readonly owner: string;
  readonly bidId: string;
  readonly amount: Micro;
}

/** A member whose result contradicts the accepted one: its whole deposit, where it holds one. */
export interface Fraud {
  readonly providerId: string;
  readonly owner: string;
  readonly bidId: string;
  readonly amount: Micro;
}

/** What comes of forfeits at the end of a job; absent where there are none. */
export interface Forfeits {
  readonly fraud?: readonly Fraud[];
  readonly compensation?: Compensation;
}

/** The job cannot be finished. What it holds is released first; `job.failed` follows. */
export interface JobAborted {
  readonly type: 'job.aborted';
  readonly reason: ErrorCode;
  readonly message: string;
}

export interface JobSettled extends Forfeits {
  readonly type: 'job.settled';
  readonly payouts: readonly Payout[];
  readonly slaCredit: Micro;
  readonly price: Micro;
  readonly refund: Micro;
  readonly settledAt: string;
}

/** Terminal. Limits reached pay the winners all the same (settled 20); other failures refund everything. */
export interface JobFailed extends Forfeits {
  readonly type: 'job.failed';
  readonly reason: ErrorCode;
  readonly message: string;
  readonly payouts: readonly Payout[];
  readonly price: Micro;
  readonly failedAt: string;
}

export type JobEvent =
  | JobSubmitted
  | JobAdmitted
  | JobRequeued
  | JobAuctionOpened
  | JobAuctionAwarded
  | JobQuorumFormed
  | JobQuorumDegraded
  | JobEnclaveAttested
  | JobRunStarted
  | JobMemberFailed
  | JobStandbyAccepted
  | JobStandbyDeclined
  | JobResultReceived
  | JobResultsDisagreed
  | JobProven
  | JobAborted
  | JobSettled
  | JobFailed;
