import type { SnapshotFrom } from 'xstate';
import { AUCTION_SECONDS, ceilingErrors, openingFeeOf } from '../auction/asking.ts';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { argumentErrors, ENCLAVE_LIMITS, WORK_LIMITS } from '../enclave/limits.ts';
import { type FieldError, reject } from '../errors.ts';
import { stateName } from '../lifecycle.ts';
import { TIERS } from '../tiers.ts';
import type { AdmitJob, BindStandby, JobCommand, SubmitJob } from './commands.ts';
import type { JobEvent } from './events.ts';
import { aborted } from './job.ts';
import { JOB_VERSION, type jobMachine } from './machine.ts';
import type { jobMachineV2 } from './machine-v2.ts';
import { MAX_WAIT_SECONDS } from './waiting.ts';

type Snapshot = SnapshotFrom<typeof jobMachine> | SnapshotFrom<typeof jobMachineV2>;

/** Longest job of version 1, which no node would run. */
const V1_SECONDS = 30 * 86_400;
const V1_AUCTION_SECONDS = 86_400;

const limitsOf = (version: number) =>
  ({
    durationSeconds: {
      field: 'duration_seconds',
      whole: false,
      min: 1,
      max: version === 1 ? V1_SECONDS : WORK_LIMITS.seconds.max,
    },
    memoryMb: { field: 'memory_mb', whole: true, ...ENCLAVE_LIMITS.memoryMb },
    auctionSeconds: {
      field: 'auction_seconds',
      whole: true,
      min: AUCTION_SECONDS.min,
      max: version === 1 ? V1_AUCTION_SECONDS : AUCTION_SECONDS.max,
    },
  }) as const;

const decideAt = (
  version: number,
  snapshot: Snapshot,
  command: JobCommand,
  ctx: DecisionContext,
): Decision<JobEvent> => {
  switch (command.type) {
    case 'submit':
      return submit(version, snapshot, command, ctx);
    case 'admit':
      return admit(snapshot, command, ctx);
    case 'bind-standby':
      return bind(snapshot, command, ctx);
    case 'deadline': {
      if (command.id === 'waited') return waited(snapshot);
      const event = aborted(
        'RESOURCE_UNAVAILABLE',
        `the job made no progress while ${stateName(snapshot.value)}`,
      );
      return snapshot.can(event) ? accept(event) : reject('CONFLICT', 'the job has moved on');
    }
  }
};

/** Rules over commands of a job. After the submission it is its children and effects that move it. */
export const decide = (snapshot: Snapshot, command: JobCommand, ctx: DecisionContext): Decision<JobEvent> =>
  decideAt(JOB_VERSION, snapshot, command, ctx);

/** The same for streams of version 3, whose auctions open at once. */
export const decideV3 = (snapshot: Snapshot, command: JobCommand, ctx: DecisionContext): Decision<JobEvent> =>
  decideAt(3, snapshot, command, ctx);

/** The same for streams of version 2, which know no standbys. */
export const decideV2 = (snapshot: Snapshot, command: JobCommand, ctx: DecisionContext): Decision<JobEvent> =>
  decideAt(2, snapshot, command, ctx);

/** The same for streams of version 1, whose jobs a node might have refused. */
export const decideV1 = (snapshot: Snapshot, command: JobCommand, ctx: DecisionContext): Decision<JobEvent> =>
  decideAt(1, snapshot, command, ctx);

/** What a node would refuse is refused here, before money moves. */
const boundErrors = (version: number, command: SubmitJob): FieldError[] => {
  const errors: FieldError[] = [];
  const limits = limitsOf(version);
  for (const [name, { field, whole, min, max }] of Object.entries(limits)) {
    const value = command[name as keyof typeof limits];
    const isNumber = whole ? Number.isInteger(value) : Number.isFinite(value);
    if (!isNumber || value < min || value > max)
      errors.push({ field, rule: `${whole ? 'an integer ' : ''}from ${min} to ${max}` });
  }
  const { memoryMb, pricedMemoryMb = memoryMb, maxWaitSeconds: wait = 0 } = command;
  if (!Number.isInteger(wait) || wait < 0 || wait > MAX_WAIT_SECONDS)
    errors.push({ field: 'max_wait_seconds', rule: `an integer from 0 to ${MAX_WAIT_SECONDS}` });
  if (memoryMb > pricedMemoryMb)
    errors.push({ field: 'memory_mb', rule: `at most the ${pricedMemoryMb} that were quoted` });
  const unfit = argumentErrors(command.args);
  // Version 1 measured the arguments and did not look into them.
  if (version === 1) return [...errors, ...unfit.filter(({ field }) => field === 'args')];
  return [...errors, ...unfit, ...ceilingErrors(command.ceiling)];
};

const admit = (
  snapshot: Snapshot,
  { attempt }: AdmitJob,
  { actor, now }: DecisionContext,
): Decision<JobEvent> => {
  if (actor !== 'engine') return reject('AUTHORIZATION_FAILED', 'the engine admits jobs, and nobody else');
  const event = { type: 'job.admitted', attempt, admittedAt: now } as const;
  return snapshot.context.attempt === attempt && snapshot.can(event)
    ? accept(event)
    : reject('CONFLICT', 'the job does not wait for this attempt');
};

/** The job has waited as long as it may. */
const waited = (snapshot: Snapshot): Decision<JobEvent> => {
  const { maxWaitSeconds = 0, turnedBack } = snapshot.context;
  const last = turnedBack ? `; its last auction: ${turnedBack.message}` : '';
  const event = aborted(
    'WAIT_LIMIT_EXCEEDED',
    `no room for the job within its max_wait_seconds of ${maxWaitSeconds}${last}`,
  );
  return stateName(snapshot.value) === 'queued' ? accept(event) : reject('CONFLICT', 'the job waits no more');
};

const bind = (
  snapshot: Snapshot,
  { providerId }: BindStandby,
  { actor, now }: DecisionContext,
): Decision<JobEvent> => {
  if (actor !== 'engine') return reject('AUTHORIZATION_FAILED', 'the engine asks standbys, and nobody else');
  const standby = snapshot.context.members.find((member) => member.providerId === providerId);
  if (!standby) return reject('CONFLICT', `${providerId} is not asked for any more`);
  const { owner, bidId } = standby;
  const event = { type: 'job.standby-accepted', providerId, owner, bidId, acceptedAt: now } as const;
  return snapshot.can(event) ? accept(event) : reject('CONFLICT', `${providerId} has been answered`);
};

const submit = (
  version: number,
  snapshot: Snapshot,
  command: SubmitJob,
  ctx: DecisionContext,
): Decision<JobEvent> => {
  if (!snapshot.matches('new')) {
    const [what, field] = command.auctionGiven ? ['auction', 'auction_id'] : ['quote', 'quote_id'];
    return reject('CONFLICT', `this ${what} has already been used for a job`, [
      { field, rule: 'not used before' },
    ]);
  }
  const errors = boundErrors(version, command);
  if (errors.length > 0) return reject('INVALID_REQUEST', 'the job is out of bounds', errors);
  const { type: _, maxWaitSeconds = 0, ...facts } = command;
  // Versions before 4 know no queue; an award that was bought before waits for nobody.
  const mayWait = version > 3 && maxWaitSeconds > 0 && !command.auctionGiven;
  const { winners } = TIERS[command.tier];
  return accept({
    type: 'job.submitted',
    machineVersion: version,
    ...facts,
    // Whoever had the auction run on its own has paid with its opening.
    ...(version > 1 && !command.auctionGiven && { openingFee: openingFeeOf(command.ceiling, winners) }),
    winners,
    ...(mayWait && { maxWaitSeconds }),
    submittedAt: ctx.now,
  });
};
