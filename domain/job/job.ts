import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { OpenedBid, Winner } from '../auction/events.ts';
import type { PlatformLabel } from '../enclave/events.ts';
import type { ErrorCode } from '../errors.ts';
import { ulidFrom } from '../ids.ts';
import { add, type Micro, ZERO } from '../money.ts';
import type {
  JobAborted,
  JobEvent,
  JobMemberFailed,
  JobProven,
  JobResultReceived,
  JobSubmitted,
} from './events.ts';

/** One attempt to have a member do the work. A provider is barred once it failed, so it appears once. */
export interface Member extends Winner {
  readonly enclaveId: string;
  readonly label: PlatformLabel | null;
  readonly attested: boolean;
  readonly result: Omit<JobResultReceived, 'type'> | null;
}

export interface FailedMember extends Omit<JobMemberFailed, 'type'> {
  /** After the work had begun: it counts in the SLA. */
  readonly duringRun: boolean;
}

export interface Job extends Omit<JobSubmitted, 'type' | 'machineVersion'> {
  readonly closesAt: string | null;
  readonly auctionSeed: string;
  /** Winners and reserve as awarded; the quorum is formed from them. */
  readonly awarded: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  /** Since when it waits for room, and for which of its auctions (machine version 4, where it may wait). */
  readonly queuedAt?: string;
  readonly attempt?: number;
  /** Why its last auction bought nothing. */
  readonly turnedBack?: { readonly reason: ErrorCode; readonly message: string };
  /** The auction whose escrow account it holds, where that is not its present one. */
  readonly escrowOf?: string;
  /** The opening fee is paid, which is held until there is an auction. */
  readonly feePaid?: boolean;
  /** Bids whose deposit is still held: winners of the auction that did not fail. */
  readonly deposits: readonly { readonly bidId: string; readonly owner: string }[];
  /** Standbys that accepted, each bound by a deposit; those that declined (machine version 3). */
  readonly standbys?: readonly Winner[];
  readonly declined?: readonly string[];
  /** Lost of deposits so far (machine version 2); absent while that is nothing. */
  readonly forfeited?: Micro;
  readonly quorumId: string | null;
  readonly epoch: number;
  readonly predictedAvailability: number;
  readonly degraded: boolean;
  /** When the first quorum stood: what the clock of every run begins at, so that honest nodes agree (settled 19). */
  readonly clockStart: string | null;
  readonly members: readonly Member[];
  readonly failed: readonly FailedMember[];
  /** Every enclave ever asked for, so that all of them are destroyed. */
  readonly enclaves: readonly string[];
  readonly startedAt: string | null;
  /** A third result was asked for already. */
  readonly deciderAsked: boolean;
  readonly proven: Omit<JobProven, 'type'> | null;
  readonly failure: { readonly reason: ErrorCode; readonly message: string } | null;
}

export const blankJob: Job = {
  jobId: '',
  submitter: '',
  quoteId: '',
  auctionId: '',
  auctionGiven: false,
  tier: 'bronze',
  tierTableVersion: 0,
  requiredTops: 0,
  utilization: 0,
  durationSeconds: 0,
  ceiling: ZERO,
  winners: 0,
  codeHash: '',
  args: [],
  inputHash: '',
  memoryMb: 0,
  auctionSeconds: 0,
  allowSimulated: false,
  seed: '',
  submittedAt: '',
  closesAt: null,
  auctionSeed: '',
  awarded: [],
  reserve: [],
  deposits: [],
  quorumId: null,
  epoch: 0,
  predictedAvailability: 0,
  degraded: false,
  clockStart: null,
  members: [],
  failed: [],
  enclaves: [],
  startedAt: null,
  deciderAsked: false,
  proven: null,
  failure: null,
};

/** A job that cannot be finished, and why. */
export const aborted = (reason: ErrorCode, message: string): JobAborted => ({
  type: 'job.aborted',
  reason,
  message,
});

/** Enclave ids derive from job and provider: asking twice is asking once. */
export const enclaveIdOf = (jobId: string, providerId: string): string =>
  `enclave-${ulidFrom(sha256(utf8ToBytes(`aivillage-enclave-v1\n${jobId}\n${providerId}`)))}`;

/** Auctions of one job, at most: each makes nodes bid, and its submitter pays for the first. */
export const MAX_ATTEMPTS = 16;

/** The auction of a later attempt; the first has the job's own ULID. */
export const auctionIdOf = (jobId: string, attempt: number): string =>
  `auction-${ulidFrom(sha256(utf8ToBytes(`aivillage-auction-v1\n${jobId}\n${attempt}`)))}`;

export const quorumIdOf = (jobId: string): string => `quorum-${jobId.slice('job-'.length)}`;

/** A loss may raise what the others are paid; what they did stays. */
const asMember = (job: Job, winner: Winner): Member => {
  const known = job.members.find((member) => member.providerId === winner.providerId);
  if (known) return { ...known, ...winner };
  const enclaveId = enclaveIdOf(job.jobId, winner.providerId);
  return { ...winner, enclaveId, label: null, attested: false, result: null };
};

const joined = (job: Job, winners: readonly Winner[]): Partial<Job> => {
  const members = winners.map((winner) => asMember(job, winner));
  const enclaves = new Set([...job.enclaves, ...members.map((member) => member.enclaveId)]);
  return { members, enclaves: [...enclaves] };
};

const withMember = (job: Job, providerId: string, change: Partial<Member>): Partial<Job> => ({
  members: job.members.map((member) =>
    member.providerId === providerId ? { ...member, ...change } : member,
  ),
});

const bodyOf = <E extends JobEvent>({ type: _, ...body }: E): Omit<E, 'type'> => body;

/** The state of a job after one more event. */
export const evolveJob = (job: Job, event: JobEvent): Job => {
  switch (event.type) {
    case 'job.submitted': {
      const { type: _, machineVersion: __, ...facts } = event;
      const queued = event.maxWaitSeconds === undefined ? {} : { queuedAt: event.submittedAt, attempt: 1 };
      return { ...blankJob, ...facts, ...queued };
    }
    case 'job.admitted':
      return { ...job, feePaid: true };
    case 'job.requeued': {
      const { auctionId, attempt, requeuedAt: queuedAt, reason, message } = event;
      const escrowOf = job.escrowOf ?? job.auctionId;
      return {
        ...job,
        auctionId,
        attempt,
        queuedAt,
        escrowOf,
        closesAt: null,
        turnedBack: { reason, message },
      };
    }
    case 'job.auction-opened':
      return { ...job, closesAt: event.closesAt };
    case 'job.auction-awarded':
      if (job.awarded.length > 0) return job;
      return {
        ...job,
        awarded: event.winners,
        reserve: event.reserve,
        auctionSeed: event.seed,
        deposits: event.winners.map(({ bidId, owner }) => ({ bidId, owner })),
      };
    case 'job.quorum-formed':
      return {
        ...job,
        ...joined(job, event.members),
        quorumId: event.quorumId,
        epoch: event.epoch,
        predictedAvailability: event.predictedAvailability,
        clockStart: job.clockStart ?? event.formedAt,
      };
    case 'job.quorum-degraded':
      return { ...job, ...joined(job, event.members), epoch: event.epoch, degraded: true };
    case 'job.enclave-attested':
      return { ...job, ...withMember(job, event.providerId, { attested: true, label: event.label }) };
    case 'job.run-started':
      return { ...job, startedAt: job.startedAt ?? event.startedAt };
    case 'job.result-received':
      return { ...job, ...withMember(job, event.providerId, { result: bodyOf(event) }) };
    case 'job.member-failed':
      return {
        ...job,
        members: job.members.filter((member) => member.providerId !== event.providerId),
        failed: [...job.failed, { ...bodyOf(event), duringRun: job.startedAt !== null }],
        deposits: job.deposits.filter((deposit) => deposit.bidId !== event.bidId),
        ...(event.forfeit !== undefined && { forfeited: add(job.forfeited ?? ZERO, event.forfeit) }),
      };
    case 'job.standby-accepted': {
      const { bidId, owner } = event;
      const standbys = [...(job.standbys ?? []), ...job.members.filter((member) => member.bidId === bidId)];
      return { ...job, deposits: [...job.deposits, { bidId, owner }], standbys };
    }
    case 'job.standby-declined':
      return {
        ...job,
        members: job.members.filter(({ bidId }) => bidId !== event.bidId),
        enclaves: job.enclaves.filter((each) => each !== enclaveIdOf(job.jobId, event.providerId)),
        declined: [...(job.declined ?? []), event.providerId],
      };
    case 'job.results-disagreed':
      return { ...job, deciderAsked: true };
    case 'job.proven':
      return { ...job, proven: bodyOf(event) };
    case 'job.aborted':
      return { ...job, failure: { reason: event.reason, message: event.message } };
    case 'job.failed':
      return { ...job, failure: { reason: event.reason, message: event.message }, deposits: [] };
    case 'job.settled':
      return { ...job, deposits: [] };
  }
};

/** Members that no deposit binds: standbys that have not said yet whether they come in (machine version 3). */
export const unboundOf = ({ members, deposits }: Job): readonly Member[] =>
  members.filter((member) => !deposits.some(({ bidId }) => bidId === member.bidId));

/** What a job with a complete quorum has to do next. */
export const phaseOf = (job: Job): 'launching' | 'running' | 'proving' => {
  if (job.members.some((member) => !member.attested)) return 'launching';
  return job.members.every((member) => member.result !== null) ? 'proving' : 'running';
};
