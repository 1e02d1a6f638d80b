import type { RecordedEvent } from '../../domain/event.ts';
import type { JobEvent, JobSubmitted } from '../../domain/job/events.ts';
import { waitsUntil } from '../../domain/job/waiting.ts';
import { multiply, subtract, ZERO } from '../../domain/money.ts';
import { rowProjection } from '../row-model.ts';
import { attested, compared, ofEpoch, paid, phaseOf, withResult } from './members.ts';
import { type JobRow, type JobState, jobsTable, type TimelineEntry } from './table.ts';

const entryOf = (event: RecordedEvent): TimelineEntry => {
  const { providerId } = event.data;
  return {
    at: event.occurredAt,
    event: event.type,
    workflowId: event.workflowId,
    runId: event.runId,
    position: String(event.position),
    providerId: typeof providerId === 'string' ? providerId : null,
  };
};

/** The escrow of an auction opened before belongs to a job only from the award on. */
const heldEscrow = ({ auctionGiven, timeline }: JobRow): boolean =>
  !auctionGiven || timeline.some(({ event }) => event === 'job.auction-awarded');

type Change = Partial<Omit<JobRow, 'position'>>;

/** Every event of a job enters its timeline, whatever else it changes. */
const told = (row: JobRow, event: RecordedEvent, change: Change): Change => ({
  ...change,
  timeline: [...row.timeline, entryOf(event)],
});

const stateOf = ({ auctionGiven, maxWaitSeconds }: Omit<JobSubmitted, 'type'>): JobState => {
  if (auctionGiven) return 'auctioning';
  return maxWaitSeconds === undefined ? 'quoted' : 'queued';
};

/** One row per job: where it stands, who works on it, what it costs, and its story so far. */
export const jobs = rowProjection<JobEvent, JobRow, 'job.submitted'>({
  name: 'jobs',
  version: 7,
  table: jobsTable,
  first: 'job.submitted',
  create: (submitted, event) => ({
    jobId: submitted.jobId,
    submitter: submitted.submitter,
    quoteId: submitted.quoteId,
    auctionId: submitted.auctionId,
    quorumId: null,
    tier: submitted.tier,
    requiredTops: submitted.requiredTops,
    utilization: submitted.utilization,
    durationSeconds: submitted.durationSeconds,
    ceiling: submitted.ceiling,
    winnerCount: submitted.winners,
    auctionGiven: submitted.auctionGiven,
    codeHash: submitted.codeHash,
    args: submitted.args,
    inputHash: submitted.inputHash,
    memoryMb: submitted.memoryMb,
    allowSimulated: submitted.allowSimulated,
    state: stateOf(submitted),
    epoch: 0,
    degraded: false,
    predictedAvailability: null,
    members: [],
    failedMembers: [],
    proofId: null,
    outcome: null,
    exitCode: null,
    outputHash: null,
    sla: null,
    price: null,
    refund: null,
    slaCredit: null,
    reason: null,
    message: null,
    timeline: [entryOf(event)],
    submittedAt: submitted.submittedAt,
    waitsUntil: submitted.maxWaitSeconds === undefined ? null : waitsUntil(submitted),
    attempt: 1,
    closesAt: null,
    startedAt: null,
    endedAt: null,
    submittedPosition: String(event.position),
  }),
  on: {
    'job.admitted': (row, _, event) => told(row, event, { state: 'quoted' }),
    'job.requeued': (row, { auctionId, attempt }, event) =>
      told(row, event, { state: 'queued', auctionId, attempt, closesAt: null }),
    'job.auction-opened': (row, { closesAt }, event) => told(row, event, { state: 'auctioning', closesAt }),
    'job.auction-awarded': (row, _, event) => told(row, event, { state: 'forming' }),
    'job.quorum-formed': (row, { quorumId, epoch, members: winners, predictedAvailability }, event) => {
      const members = ofEpoch(row.members, winners);
      return told(row, event, { state: phaseOf(members), quorumId, epoch, members, predictedAvailability });
    },
    'job.quorum-degraded': (row, { epoch, members: winners }, event) => {
      const members = ofEpoch(row.members, winners);
      return told(row, event, { state: phaseOf(members), epoch, members, degraded: true });
    },
    'job.enclave-attested': (row, data, event) => {
      const members = attested(row.members, data);
      const running = row.state === 'launching' && phaseOf(members) === 'running';
      return told(row, event, { state: running ? 'running' : row.state, members });
    },
    'job.run-started': (row, { startedAt }, event) =>
      told(row, event, { startedAt: row.startedAt ?? startedAt }),
    'job.result-received': (row, data, event) => {
      const members = withResult(row.members, data);
      const complete = row.state === 'running' && phaseOf(members) === 'proving';
      return told(row, event, { state: complete ? 'proving' : row.state, members });
    },
    'job.member-failed': (
      row,
      { providerId, owner, fault, cause = null, slashed, forfeit = null, evidenceId, message },
      event,
    ) =>
      told(row, event, {
        state: 'forming',
        members: row.members.filter((member) => member.providerId !== providerId),
        failedMembers: [
          ...row.failedMembers,
          { providerId, owner, fault, cause, slashed, forfeit, evidenceId, message },
        ],
      }),
    'job.standby-accepted': (row, _, event) => told(row, event, { state: phaseOf(row.members) }),
    'job.standby-declined': (row, { providerId }, event) =>
      told(row, event, {
        state: 'forming',
        members: row.members.filter((member) => member.providerId !== providerId),
      }),
    'job.results-disagreed': (row, _, event) => told(row, event, { state: 'forming' }),
    'job.proven': (row, proven, event) =>
      told(row, event, {
        state: 'settling',
        members: compared(row.members, proven),
        proofId: proven.proofId,
        outcome: proven.outcome,
        exitCode: proven.exitCode,
        outputHash: proven.outputHash,
        sla: proven.sla,
      }),
    'job.aborted': (row, { reason, message }, event) =>
      told(row, event, { state: 'settling', reason, message }),
    'job.settled': (row, { payouts, slaCredit, price, refund, settledAt }, event) =>
      told(row, event, {
        state: 'settled',
        members: paid(row.members, payouts),
        price,
        refund,
        slaCredit,
        endedAt: settledAt,
      }),
    'job.failed': (row, { reason, message, payouts, price, failedAt }, event) =>
      told(row, event, {
        state: 'failed',
        members: paid(row.members, payouts),
        price,
        refund: heldEscrow(row) ? subtract(multiply(row.ceiling, row.winnerCount), price) : ZERO,
        reason,
        message,
        endedAt: failedAt,
      }),
  },
});
