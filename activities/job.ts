import { createHash } from 'node:crypto';
import type { Auction } from '../domain/auction/auction.ts';
import { reserveOf } from '../domain/auction/decide.ts';
import type { RunEnclave } from '../domain/enclave/commands.ts';
import type {
  Forfeits,
  JobAuctionAwarded,
  JobEvent,
  JobFailed,
  JobProven,
  JobSettled,
  MemberSla,
  SlaVerdict,
} from '../domain/job/events.ts';
import { fuelLimitOf } from '../domain/job/fuel.ts';
import { aborted, type Job, type Member, quorumIdOf } from '../domain/job/job.ts';
import { meteredPayment } from '../domain/job/metered-payment.ts';
import { compensate, forfeitOf } from '../domain/job/non-delivery.ts';
import { settle } from '../domain/job/payouts.ts';
import { compareResults, isOwed } from '../domain/job/results.ts';
import { judgeMember, judgeSla } from '../domain/job/sla.ts';
import { add, multiply, ZERO } from '../domain/money.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import type { Command, CommandMeta, Lifecycles } from '../domain/ports/lifecycles.ts';
import type { RunOutcome } from '../domain/proof/record.ts';
import type { EvidenceFacts } from '../domain/provider/decide.ts';
import { EVIDENCE_REASONS, type EvidenceReason } from '../domain/provider/events.ts';
import type { PaidWork } from '../domain/provider/paid-work.ts';
import { foldStream } from '../domain/registry.ts';
import { TIERS } from '../domain/tiers.ts';
import type { Providers } from '../infra/providers/providers.ts';

export interface JobDeps {
  readonly lifecycles: Pick<Lifecycles, 'execute' | 'tell'>;
  readonly store: EventStore;
  readonly providers: Providers;
  readonly now: () => string;
  /** Gives back the job's place in the queue. */
  readonly leaveQueue?: (jobId: string) => Promise<void>;
}

interface Input {
  readonly job: Job;
}

/** Limits are results, and what they mean for the job (settled 20, 44). */
const LIMIT_REASON = {
  time_limit: { reason: 'TIME_LIMIT_EXCEEDED', message: 'the module was not done within duration_seconds' },
  memory_limit: { reason: 'MEMORY_LIMIT_EXCEEDED', message: 'the module reached its memory limit' },
  fuel_limit: { reason: 'FUEL_LIMIT_EXCEEDED', message: 'the module used up its fuel' },
  stack_limit: { reason: 'STACK_LIMIT_EXCEEDED', message: 'the calls of the module nested too deep' },
  output_limit: { reason: 'OUTPUT_LIMIT_EXCEEDED', message: 'the module wrote more than 16 MiB' },
} as const;

const isLimit = (outcome: RunOutcome): outcome is keyof typeof LIMIT_REASON => outcome in LIMIT_REASON;

/** Seed of WASI randomness: the same for every member of a job (settled 19). */
const randomSeedOf = (job: Job): string =>
  createHash('sha256').update(`aivillage-random-v1\n${job.jobId}\n${job.inputHash}`).digest('hex');

/** Faults that count against a provider; `completed` is none. */
const isEvidence = (fault: string): fault is Exclude<EvidenceReason, 'completed'> =>
  fault !== 'completed' && (EVIDENCE_REASONS as readonly string[]).includes(fault);

/** Effects of a job: what it asks of its children, how it judges their results, and how it ends. */
export const createJobActivities = ({
  lifecycles,
  store,
  providers,
  now,
  leaveQueue = () => Promise.resolve(),
}: JobDeps) => {
  const command = (job: Pick<Job, 'jobId' | 'submitter'>, part: string, actor = 'engine'): CommandMeta => ({
    commandId: `${job.jobId}/${part}`,
    actor,
    correlationId: job.jobId,
    causationId: job.jobId,
    traceparent: null,
  });

  /** Sends a command that may have been obeyed before, or come too late; only an absent service is worth a retry. */
  const obey = async (stream: string, order: Command, meta: CommandMeta): Promise<void> => {
    const outcome = await lifecycles.execute(stream, order, meta);
    if (!outcome.ok && outcome.code === 'RESOURCE_UNAVAILABLE') throw new Error(outcome.message);
  };

  const tellQuorum = (quorumId: string, order: Command, part: string): Promise<void> =>
    lifecycles.tell(quorumId, order, {
      commandId: `${quorumId}/${part}`,
      actor: 'engine',
      correlationId: quorumId,
      causationId: quorumId,
      traceparent: null,
    });

  /** Each member by its own times and beats, and the job by its members (settled 43). */
  const slaOf = (job: Job): { readonly sla: SlaVerdict; readonly memberSla: readonly MemberSla[] } => {
    const memberSla = job.members.flatMap(({ providerId, result }): MemberSla[] => {
      if (!result) return [];
      const { missedHeartbeats, missedInAll = missedHeartbeats, finishedAt } = result;
      const startedAt = result.startedAt ?? job.startedAt ?? job.submittedAt;
      const { durationSeconds } = job;
      const run = { startedAt, finishedAt, durationSeconds, missedInARow: missedHeartbeats, missedInAll };
      return [{ providerId, ...judgeMember(run) }];
    });
    // A member that was stopped did no wrong: nothing was missed by its fault.
    const lost = job.failed.filter(({ duringRun, fault }) => duringRun && fault !== 'stopped').length;
    return { sla: judgeSla(memberSla, { requiredUp: TIERS[job.tier].requiredUp, lost }), memberSla };
  };

  const recordEvidence = async (
    providerId: string,
    evidenceId: string,
    facts: EvidenceFacts,
  ): Promise<void> => {
    const outcome = await providers.execute(
      providerId,
      { type: 'record-evidence', evidenceId, ...facts },
      { actor: 'engine', commandId: evidenceId },
    );
    if (!outcome.ok) throw new Error(`${providerId}: ${outcome.message}`);
  };

  /** What a member's own SLA takes off its fee, percent. */
  const creditOf = (
    { outcome, sla, memberSla }: Omit<JobProven, 'type'>,
    { providerId, result }: Member,
  ): number => {
    if (isLimit(outcome) || result?.outcome === 'time_limit') return 0;
    const own = memberSla?.find((each) => each.providerId === providerId);
    return (own ?? sla).creditPercent;
  };

  const settlementOf = (job: Job, proven: Omit<JobProven, 'type'>) => {
    const owed = job.members.filter(({ result }) => result && isOwed(result, proven));
    // What the work came to, should it have been done in time: being late never pays better.
    const done = proven.outcome === 'time_limit' ? null : owed.find(({ result }) => result?.fuelUsed);
    return settle({
      escrow: multiply(job.ceiling, job.winners),
      winners: owed.map((member) => ({
        ...member,
        payment: meteredPayment(member.payment, job, member.result?.fuelUsed ?? done?.result?.fuelUsed),
        creditPercent: creditOf(proven, member),
      })),
      creditPercent: 0,
    });
  };

  /** The work of a member that failed, as far as its price is known: that of one which was awarded, or accepted it. */
  const promisedTo = (
    { awarded, standbys = [], submitter }: Job,
    providerId: string,
  ): { readonly work?: PaidWork } => {
    const winner = [...awarded, ...standbys].find((each) => each.providerId === providerId);
    return winner ? { work: { payer: submitter, fee: winner.payment } } : {};
  };

  /** Trust follows verified proofs and logged faults only; a limit leaves it untouched (settled 20). */
  const updateTrust = async (job: Job): Promise<void> => {
    const { accepted = [] } = job.proven ?? {};
    const delivered = job.members.filter(({ providerId }) => accepted.includes(providerId));
    const { auctionId } = job;
    const { submitter } = job;
    const wronged = { submitter, members: delivered.map(({ owner }) => owner) };
    for (const failure of job.failed) {
      // What something else than the node brought about is nobody's evidence (settled 40).
      if (isEvidence(failure.fault) && (failure.cause ?? 'node') === 'node')
        await recordEvidence(failure.providerId, failure.evidenceId, {
          reason: failure.fault,
          ...promisedTo(job, failure.providerId),
          auctionId,
          wronged,
        });
    }
    if (!job.proven || isLimit(job.proven.outcome)) return;
    for (const member of job.members) {
      const { result, providerId } = member;
      if (!result) continue;
      if (job.proven.deviants.includes(providerId))
        await recordEvidence(providerId, result.proofId, {
          reason: 'deviation',
          auctionId,
          // The majority alone says so: whoever outvotes another must not gain by it.
          wronged: { submitter, members: [] },
        });
      else if (accepted.includes(providerId)) {
        const work = { payer: job.submitter, fee: member.payment };
        await recordEvidence(providerId, result.proofId, { reason: 'completed', work });
      }
    }
  };

  const releaseChildren = async (job: Job): Promise<void> => {
    const reason = job.failure ? 'the job failed' : 'the job is done';
    if (job.quorumId)
      await tellQuorum(quorumIdOf(job.jobId), { type: 'dissolve', reason } as Command, 'dissolve');
    if (!job.failure) return;
    await Promise.all(
      job.enclaves.map((enclaveId) =>
        lifecycles.tell(
          enclaveId,
          { type: 'destroy', reason } as Command,
          command(job, `destroy/${enclaveId}`),
        ),
      ),
    );
  };

  const awardOf = async ({ jobId, auctionId }: Job): Promise<JobAuctionAwarded | null> => {
    const auction = foldStream(auctionId, await store.readStream(auctionId)).context as Auction;
    const { awarded: winners, seed } = auction;
    if (auction.jobId !== jobId || winners.length === 0) return null;
    return { type: 'job.auction-awarded', auctionId, winners, reserve: reserveOf(auction), seed };
  };

  /** Ends the auction of a job that failed before any award reached it. What was bought is released with the rest. */
  const closeAuction = async (job: Job): Promise<JobAuctionAwarded[]> => {
    if (!job.failure || job.awarded.length > 0) return [];
    const order = job.auctionGiven
      ? { type: 'allocate', jobId: job.jobId }
      : { type: 'cancel', reason: 'its job failed' };
    const meta = command(job, order.type, job.auctionGiven ? job.submitter : 'engine');
    await obey(job.auctionId, order, meta);
    const award = await awardOf(job);
    return award ? [award] : [];
  };

  /**
   * The deposits of those who deviated, and who gets what was forfeited (settled 39). Of theirs the members get nothing:
   * it was they who outvoted them, and two of three that collude would convict an honest one for its deposit.
   */
  const forfeitsOf = (job: Job): Forfeits => {
    const { deviants = [], accepted = [], outcome } = job.proven ?? {};
    const convicted = outcome && !isLimit(outcome) ? deviants : [];
    const fraud = job.members
      .filter(
        ({ providerId, bidId }) =>
          convicted.includes(providerId) && job.deposits.some((each) => each.bidId === bidId),
      )
      .map(({ providerId, owner, bidId }) => ({
        providerId,
        owner,
        bidId,
        amount: forfeitOf(job.ceiling, 'deviation'),
      }));
    const forfeited = job.forfeited ?? ZERO;
    if (forfeited === ZERO && fraud.length === 0) return {};
    const delivered = job.failure
      ? []
      : job.members.filter(({ providerId }) => accepted.includes(providerId));
    const { submitter, members } = compensate(forfeited, forfeited === ZERO ? [] : delivered);
    const toSubmitter = add(submitter, ...fraud.map(({ amount }) => amount));
    return { ...(fraud.length > 0 && { fraud }), compensation: { submitter: toSubmitter, members } };
  };

  return {
    /** The award of an auction that the submitter had run on its own. */
    'job.takeAward': async ({ job }: Input): Promise<JobEvent[]> => {
      const order = { type: 'allocate', jobId: job.jobId };
      const outcome = await lifecycles.execute(job.auctionId, order, command(job, 'allocate', job.submitter));
      if (!outcome.ok) {
        if (outcome.code === 'RESOURCE_UNAVAILABLE') throw new Error(outcome.message);
        return [aborted(outcome.code, outcome.message)];
      }
      const award = await awardOf(job);
      if (!award) throw new Error(`${job.auctionId} was allocated without an award`);
      return [award];
    },

    'job.replaceMembers': async ({
      quorumId,
      lost,
    }: {
      readonly quorumId: string;
      readonly lost: readonly string[];
    }): Promise<JobEvent[]> => {
      for (const providerId of lost) {
        const order = { type: 'lose-member', providerId, reason: 'lost by its job' };
        await tellQuorum(quorumId, order, `lose/${providerId}`);
      }
      return [];
    },

    'job.addMember': async ({ quorumId }: { readonly quorumId: string }): Promise<JobEvent[]> => {
      await tellQuorum(quorumId, { type: 'add-member', reason: 'two results differ' } as Command, 'decider');
      return [];
    },

    /** Gives every member its work; one that has it already keeps it. */
    'job.run': async ({ job }: Input): Promise<JobEvent[]> => {
      const order: RunEnclave = {
        type: 'run',
        work: {
          args: job.args,
          inputHash: job.inputHash,
          randomSeed: randomSeedOf(job),
          clockStart: job.clockStart ?? job.submittedAt,
          timeLimitSeconds: job.durationSeconds,
          fuelLimit: fuelLimitOf(job),
        },
      };
      const idle = job.members.filter((member) => member.result === null);
      await Promise.all(
        idle.map(({ enclaveId }) => lifecycles.tell(enclaveId, order, command(job, `run/${enclaveId}`))),
      );
      return job.startedAt === null ? [{ type: 'job.run-started', startedAt: now() }] : [];
    },

    /** Compares the verified results and judges the SLA. */
    'job.prove': async ({ job }: Input): Promise<JobEvent[]> => {
      const results = job.members.flatMap(({ result }) => (result ? [result] : []));
      const comparison = compareResults(results, job.winners);
      switch (comparison.kind) {
        case 'too-few':
          return [
            aborted('QUORUM_NOT_ACHIEVED', `results: have ${comparison.have}, need ${comparison.need}`),
          ];
        case 'one-more':
          if (!job.deciderAsked) return [{ type: 'job.results-disagreed', results: results.length }];
          return [aborted('RESULT_DISAGREEMENT', 'two results differ and no further member could decide')];
        case 'disagreement':
          return [aborted('RESULT_DISAGREEMENT', 'no result has a strict majority')];
        case 'accepted': {
          const [shown] = comparison.accepted;
          if (!shown) throw new Error('an accepted comparison holds a result');
          const { proofId, outcome, exitCode, outputHash } = shown;
          return [
            {
              type: 'job.proven',
              proofId,
              outcome,
              exitCode,
              outputHash,
              accepted: comparison.accepted.map((result) => result.providerId),
              deviants: comparison.deviants.map((result) => result.providerId),
              ...slaOf(job),
              provenAt: now(),
            },
          ];
        }
      }
    },

    /** Ends the job: trust first, children next, money last, in the closing event. */
    'job.settle': async ({ job }: Input): Promise<(JobAuctionAwarded | JobSettled | JobFailed)[]> => {
      await updateTrust(job);
      await releaseChildren(job);
      const unheard = await closeAuction(job);
      await leaveQueue(job.jobId);
      const at = now();
      if (job.failure || !job.proven) {
        const { reason, message } = job.failure ?? {
          reason: 'INTERNAL_ERROR',
          message: 'nothing was proven',
        };
        return [
          ...unheard,
          { type: 'job.failed', reason, message, payouts: [], ...forfeitsOf(job), price: ZERO, failedAt: at },
        ];
      }
      const { payouts, price, slaCredit, refund } = settlementOf(job, job.proven);
      if (isLimit(job.proven.outcome)) {
        const why = LIMIT_REASON[job.proven.outcome];
        return [{ type: 'job.failed', ...why, payouts, ...forfeitsOf(job), price, failedAt: at }];
      }
      return [{ type: 'job.settled', payouts, ...forfeitsOf(job), slaCredit, price, refund, settledAt: at }];
    },
  };
};
