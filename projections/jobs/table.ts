import type { EnclaveFault, FaultCause, PlatformLabel } from '../../domain/enclave/events.ts';
import type { SlaVerdict } from '../../domain/job/events.ts';
import type { Micro } from '../../domain/money.ts';
import type { RunOutcome } from '../../domain/proof/record.ts';
import type { InfrastructureType, TierName } from '../../domain/tiers.ts';
import type { Table } from '../table.ts';

export type JobState =
  | 'queued'
  | 'quoted'
  | 'auctioning'
  | 'forming'
  | 'launching'
  | 'running'
  | 'proving'
  | 'settling'
  | 'settled'
  | 'failed';

/** One step of the story, as the Temporal UI tells it: the event and the workflow and run that decided it. */
export interface TimelineEntry {
  readonly at: string;
  readonly event: string;
  readonly workflowId: string | null;
  readonly runId: string | null;
  readonly position: string;
  /** The provider it is about, where it is about one. */
  readonly providerId: string | null;
}

export interface JobMember {
  readonly providerId: string;
  readonly owner: string;
  readonly infrastructureType: InfrastructureType;
  readonly asn: number;
  readonly region: string;
  readonly bidId: string;
  /** Critical value promised. */
  readonly payment: Micro;
  /** What it was paid at the end; null before. */
  readonly paid: Micro | null;
  readonly enclaveId: string | null;
  readonly label: PlatformLabel | null;
  readonly attested: boolean;
  readonly proofId: string | null;
  readonly outcome: RunOutcome | null;
  readonly exitCode: number | null;
  readonly outputHash: string | null;
  /** Null before the result, and for a run from before metering. */
  readonly fuelUsed: number | null;
  readonly missedHeartbeats: number | null;
  /** Null before the results were compared. */
  readonly accepted: boolean | null;
  /** By which it is paid; null before the results were compared, and where all were judged as one. */
  readonly sla: SlaVerdict | null;
}

export interface FailedMember {
  readonly providerId: string;
  readonly owner: string;
  readonly fault: EnclaveFault;
  /** Who brought it about; null where nobody has looked into it. */
  readonly cause: FaultCause | null;
  readonly slashed: boolean;
  /** What it lost of its deposit; null for jobs of version 1. */
  readonly forfeit: Micro | null;
  readonly evidenceId: string;
  readonly message: string;
}

export interface JobRow {
  readonly jobId: string;
  readonly submitter: string;
  readonly quoteId: string;
  readonly auctionId: string;
  readonly quorumId: string | null;
  readonly tier: TierName;
  readonly requiredTops: number;
  readonly utilization: number;
  readonly durationSeconds: number;
  /** Most a winner can be paid. */
  readonly ceiling: Micro;
  readonly winnerCount: number;
  readonly auctionGiven: boolean;
  readonly codeHash: string;
  readonly args: readonly string[];
  readonly inputHash: string;
  readonly memoryMb: number;
  readonly allowSimulated: boolean;
  readonly state: JobState;
  readonly epoch: number;
  readonly degraded: boolean;
  readonly predictedAvailability: number | null;
  /** Members of the current epoch. */
  readonly members: readonly JobMember[];
  /** Members lost on the way, in order. */
  readonly failedMembers: readonly FailedMember[];
  readonly proofId: string | null;
  readonly outcome: RunOutcome | null;
  readonly exitCode: number | null;
  readonly outputHash: string | null;
  readonly sla: SlaVerdict | null;
  readonly price: Micro | null;
  readonly refund: Micro | null;
  readonly slaCredit: Micro | null;
  readonly reason: string | null;
  readonly message: string | null;
  readonly timeline: readonly TimelineEntry[];
  readonly submittedAt: string;
  /** Until when it may wait for room, in all of its attempts; null of one whose auction opened at once. */
  readonly waitsUntil: string | null;
  /** Counts its auctions. */
  readonly attempt: number;
  readonly closesAt: string | null;
  readonly startedAt: string | null;
  /** When it settled or failed. */
  readonly endedAt: string | null;
  /** Position of the submission: the order of listings. */
  readonly submittedPosition: string;
  readonly position: string;
}

export const jobsTable: Table<JobRow> = {
  name: 'jobs',
  key: ['jobId'],
  columns: {
    jobId: 'text',
    submitter: 'text',
    quoteId: 'text',
    auctionId: 'text',
    quorumId: 'text',
    tier: 'text',
    requiredTops: 'real',
    utilization: 'real',
    durationSeconds: 'real',
    ceiling: 'amount',
    winnerCount: 'integer',
    auctionGiven: 'boolean',
    codeHash: 'text',
    args: 'json',
    inputHash: 'text',
    memoryMb: 'integer',
    allowSimulated: 'boolean',
    state: 'text',
    epoch: 'integer',
    degraded: 'boolean',
    predictedAvailability: 'real',
    members: 'json',
    failedMembers: 'json',
    proofId: 'text',
    outcome: 'text',
    exitCode: 'integer',
    outputHash: 'text',
    sla: 'json',
    price: 'amount',
    refund: 'amount',
    slaCredit: 'amount',
    reason: 'text',
    message: 'text',
    timeline: 'json',
    submittedAt: 'instant',
    waitsUntil: 'instant',
    attempt: 'integer',
    closesAt: 'instant',
    startedAt: 'instant',
    endedAt: 'instant',
    submittedPosition: 'position',
    position: 'position',
  },
  indexes: [['submitter', 'submittedPosition'], ['state', 'submittedPosition'], ['submittedPosition']],
};
