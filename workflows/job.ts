import type { OpenAuction } from '../domain/auction/commands.ts';
import type { CreateEnclave } from '../domain/enclave/commands.ts';
import type { Reservation } from '../domain/enclave/events.ts';
import type { JobEvent, JobFailed, JobMemberFailed, JobResultReceived } from '../domain/job/events.ts';
import { aborted, auctionIdOf, type Job, MAX_ATTEMPTS, type Member, quorumIdOf } from '../domain/job/job.ts';
import { forfeitOf, isDeclined } from '../domain/job/non-delivery.ts';
import { ZERO } from '../domain/money.ts';
import type { Report } from '../domain/ports/lifecycles.ts';
import type { FormQuorum } from '../domain/quorum/commands.ts';
import type { AuctionReport } from './auction.ts';
import { now } from './clock.ts';
import type { EnclaveReport } from './enclave.ts';
import { runLifecycle } from './host.ts';
import {
  type ActivityEffect,
  type ChildStart,
  type LifecycleInput,
  lifecycleOf,
  type Policies,
} from './lifecycle.ts';
import type { QuorumReport } from './quorum.ts';

interface JobInput {
  readonly job: Job;
}

/** How long quorum and enclaves may outlive what the job itself may take. */
const LIFETIME_MARGIN_SECONDS = 1800;

const auctionOf = ({ job }: JobInput): ChildStart[] => {
  const command: OpenAuction = {
    type: 'open',
    auctionId: job.auctionId,
    submitter: job.submitter,
    jobId: job.jobId,
    quoteId: job.quoteId,
    tier: job.tier,
    tierTableVersion: job.tierTableVersion,
    requiredTops: job.requiredTops,
    utilization: job.utilization,
    durationSeconds: job.durationSeconds,
    ...(job.tRef === undefined ? {} : { tRef: job.tRef }),
    ...(job.pricedMemoryMb === undefined ? {} : { memoryMb: job.pricedMemoryMb }),
    ceiling: job.ceiling,
    auctionSeconds: job.auctionSeconds,
    seed: job.seed,
  };
  return [{ aggregate: 'auction', stream: job.auctionId, command }];
};

const quorumOf = ({ job }: JobInput): ChildStart[] => {
  const command: FormQuorum = {
    type: 'form',
    quorumId: quorumIdOf(job.jobId),
    jobId: job.jobId,
    auctionId: job.auctionId,
    tier: job.tier,
    ceiling: job.ceiling,
    seed: job.auctionSeed,
    members: job.awarded,
    reserve: job.reserve,
    lifetimeSeconds: job.durationSeconds + LIFETIME_MARGIN_SECONDS,
  };
  return [{ aggregate: 'quorum', stream: command.quorumId, command }];
};

const enclavesOf = ({ job }: JobInput, reservation?: Reservation): ChildStart[] =>
  job.members
    .filter((member) => !member.attested)
    .map((member) => {
      const command: CreateEnclave = {
        type: 'create',
        enclaveId: member.enclaveId,
        providerId: member.providerId,
        owner: member.owner,
        submitter: job.submitter,
        jobId: job.jobId,
        platform: 'amd_sev_snp',
        codeHash: job.codeHash,
        config: { memoryMb: job.memoryMb, cpuCores: 1, allowDebug: false },
        allowSimulated: job.allowSimulated,
        ...(reservation && { reservation }),
        lifetimeSeconds: job.durationSeconds + LIFETIME_MARGIN_SECONDS,
      };
      return { aggregate: 'enclave', stream: member.enclaveId, command };
    });

const activity = (local: boolean, what: string): ActivityEffect<never> => ({
  kind: 'activity',
  local,
  options: {
    startToCloseTimeout: '60 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds', maximumAttempts: 60 },
  },
  failed: (_, message) => [aborted('RESOURCE_UNAVAILABLE', `${what}: ${message}`)],
});

const prompt = (what: string): ActivityEffect<never> => ({ ...activity(false, what), prompt: 3 });

const ask = activity(false, 'no standby can be asked');

/** Settling must not give up: money is held. It repeats until it is done. */
const settle: ActivityEffect<never> = {
  kind: 'activity',
  local: false,
  prompt: 3,
  options: {
    startToCloseTimeout: '120 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  failed: (_, message): JobFailed[] => [
    {
      type: 'job.failed',
      reason: 'INTERNAL_ERROR',
      message,
      payouts: [],
      price: ZERO,
      failedAt: now(),
    },
  ],
};

const onAuction = (report: Report): JobEvent[] => {
  const body = report.body as AuctionReport | null;
  if (report.rejection) return [aborted(report.rejection.code, report.rejection.message)];
  if (!body) return [];
  if (body.failure) return [aborted(body.failure.reason, body.failure.message)];
  if (report.state === 'open') {
    return [{ type: 'job.auction-opened', auctionId: report.stream, closesAt: body.closesAt }];
  }
  return [
    {
      type: 'job.auction-awarded',
      auctionId: report.stream,
      winners: body.awarded,
      reserve: body.reserve,
      seed: body.seed,
    },
  ];
};

/** Since version 4 a job whose auction found too few bids waits for another one, as long as it may: others had the room. */
const onAuctionOfQueue = (report: Report, job: Job): JobEvent[] => {
  const failure = (report.body as AuctionReport | null)?.failure;
  const { attempt = MAX_ATTEMPTS } = job;
  // News of an auction before this one.
  if (report.stream !== job.auctionId) return [];
  if (failure?.reason !== 'AUCTION_NOT_ENOUGH_BIDS' || attempt >= MAX_ATTEMPTS) return onAuction(report);
  const next = attempt + 1;
  return [
    {
      type: 'job.requeued',
      attempt: next,
      auctionId: auctionIdOf(job.jobId, next),
      reason: failure.reason,
      message: failure.message,
      requeuedAt: now(),
    },
  ];
};

const onQuorum = (report: Report): JobEvent[] => {
  if (report.rejection) {
    const facts = report.rejection.errors?.map((error) => `${error.field}: ${error.rule}`).join('; ');
    return [aborted(report.rejection.code, [report.rejection.message, facts].filter(Boolean).join(': '))];
  }
  // Told where the end was taken over from the log: it dissolved because of this job, or nobody needed it for long.
  if (report.state === 'dissolved') return [];
  const { epoch, members, requiredUp, predictedAvailability, violations, formedAt } =
    report.body as QuorumReport;
  if (report.state === 'formed') {
    return [
      { type: 'job.quorum-formed', quorumId: report.stream, epoch, members, predictedAvailability, formedAt },
    ];
  }
  if (members.length >= requiredUp) return [{ type: 'job.quorum-degraded', epoch, members, violations }];
  return [aborted('QUORUM_NOT_ACHIEVED', `members left: have ${members.length}, need ${requiredUp}`)];
};

/** In version 1 refusal, no-show and failed attestation cost the deposit; a crash costs pay and trust (settled 18). */
const SLASHED = new Set(['refusal', 'no-show', 'attestation']);

type MemberFailure = NonNullable<EnclaveReport['failure']>;

/** By the rules of version 1. */
const memberFailedV1: OnFailure = (failure, member, job) => ({
  // A replacement stands without a deposit: there is nothing to take.
  fault: failure.fault,
  ...(failure.cause && { cause: failure.cause }),
  slashed: SLASHED.has(failure.fault) && job.deposits.some(({ bidId }) => bidId === member.bidId),
  message: failure.message,
});

/** Since version 2 each kind of non-delivery has its share of the deposit, and a standby is free to decline (settled 38, 39). */
const memberFailed: OnFailure = ({ fault, cause, message }, member, job) => {
  const hasDeposit = job.deposits.some(({ bidId }) => bidId === member.bidId);
  if (isDeclined(fault, { attested: member.attested, hasDeposit }))
    return { fault: 'stopped', cause: 'node', slashed: false, message: `declined: ${message}` };
  const forfeit = hasDeposit ? forfeitOf(job.ceiling, fault, cause) : ZERO;
  return {
    fault,
    ...(cause && { cause }),
    slashed: forfeit !== ZERO,
    ...(forfeit !== ZERO && { forfeit }),
    message,
  };
};

type OnFailure = (
  failure: MemberFailure,
  member: Member,
  job: Job,
) => Pick<JobMemberFailed, 'fault' | 'cause' | 'slashed' | 'forfeit' | 'message'>;

/** What a job believes of a run beside its record. */
type Measured = (
  result: NonNullable<EnclaveReport['result']>,
) => Pick<JobResultReceived, 'missedHeartbeats' | 'missedInAll' | 'startedAt' | 'finishedAt'>;

/** Version 1 believes the node's clock. */
const measuredV1: Measured = ({ proof, missedHeartbeats }) => ({
  missedHeartbeats,
  finishedAt: proof.record.finishedAt,
});

/** Since version 2 the times are those that the engine has logged (settled 43). */
const measured: Measured = ({ proof, missedHeartbeats, missedInAll, startedAt, finishedAt }) => ({
  missedHeartbeats,
  ...(missedInAll !== undefined && { missedInAll }),
  ...(startedAt !== undefined && { startedAt }),
  finishedAt: finishedAt ?? proof.record.finishedAt,
});

interface Rules {
  readonly onFailure: OnFailure;
  readonly measure: Measured;
}

const onEnclave = (report: Report, job: Job, { onFailure, measure }: Rules): JobEvent[] => {
  const member = job.members.find((each) => each.enclaveId === report.stream);
  if (!member) return [];
  if (report.rejection) return [aborted(report.rejection.code, report.rejection.message)];
  const { enclaveId, providerId, label, attestation, result, failure } = report.body as EnclaveReport;
  if (failure) {
    return [
      {
        type: 'job.member-failed',
        providerId,
        owner: member.owner,
        bidId: member.bidId,
        enclaveId,
        ...onFailure(failure, member, job),
        evidenceId: `${enclaveId}@${failure.revision}`,
      },
    ];
  }
  if (result) {
    const { record } = result.proof;
    const { outcome, exitCode, outputHash } = record;
    const { proofId } = result.proof;
    return [
      {
        type: 'job.result-received',
        providerId,
        enclaveId,
        proofId,
        outcome,
        exitCode,
        outputHash,
        ...(record.version === 2 && {
          trap: record.trap,
          ...(record.fuel.used !== null && { fuelUsed: record.fuel.used }),
        }),
        ...measure(result),
      },
    ];
  }
  // A renewed attestation is the enclave's own affair.
  if (!attestation || !label || member.attested) return [];
  return [{ type: 'job.enclave-attested', providerId, enclaveId, label, attestedAt: attestation.attestedAt }];
};

const onReportBy =
  (rules: Rules): NonNullable<Policies['onReport']> =>
  (report, job: Job) => {
    switch (report.aggregate) {
      case 'auction':
        return onAuction(report);
      case 'quorum':
        return onQuorum(report);
      case 'enclave':
        return onEnclave(report, job, rules);
      default:
        throw new Error(`a job has no child of kind ${report.aggregate}`);
    }
  };

const version1: Policies = {
  effects: {
    openAuction: { kind: 'children', start: auctionOf },
    takeAward: activity(false, 'the award cannot be taken'),
    formQuorum: { kind: 'children', start: quorumOf },
    replaceMembers: activity(false, 'the quorum cannot be re-formed'),
    addMember: activity(false, 'no further member can be asked for'),
    launch: { kind: 'children', start: (input: JobInput) => enclavesOf(input) },
    run: prompt('the work cannot be started'),
    prove: prompt('the results cannot be judged'),
    settle,
  },
  onReport: onReportBy({ onFailure: memberFailedV1, measure: measuredV1 }),
};

/** Since version 2 an enclave claims what its node booked for the auction, and nothing else. */
const enclavesInReservation = ({ job }: JobInput): ChildStart[] =>
  enclavesOf({ job }, { auctionId: job.auctionId, tops: job.requiredTops });

const version2: Policies = {
  ...version1,
  onReport: onReportBy({ onFailure: memberFailed, measure: measured }),
  effects: { ...version1.effects, launch: { kind: 'children', start: enclavesInReservation } },
};

/** Since version 3 standbys are asked, each by its own node. Its machine is that of version 4, of which it never asks for room. */
const version3: Policies = {
  ...version2,
  effects: {
    ...version2.effects,
    admit: {
      kind: 'activity',
      local: true,
      options: {
        startToCloseTimeout: '10 seconds',
        retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
      },
      failed: (_, message) => [aborted('RESOURCE_UNAVAILABLE', `the job cannot be queued: ${message}`)],
    },
    askStandbys: { ...ask, options: { ...ask.options, heartbeatTimeout: '15 seconds' } },
  },
};

/** Since version 4 jobs may wait for room. */
const version4: Policies = {
  ...version3,
  onReport: (report, job: Job) =>
    report.aggregate === 'auction' && !report.rejection
      ? onAuctionOfQueue(report, job)
      : (version3.onReport?.(report, job as never) ?? []),
};

export const jobLifecycle = lifecycleOf('job', { 1: version1, 2: version2, 3: version3, 4: version4 });

/** A job from submission to settlement. */
export const job = (input: LifecycleInput) => runLifecycle(jobLifecycle, input);
