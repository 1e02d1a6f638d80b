import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { SnapshotFrom } from 'xstate';
import { accept, type Decision, type DecisionContext } from '../decision.ts';
import { type FieldError, reject } from '../errors.ts';
import { stateName } from '../lifecycle.ts';
import { TIERS } from '../tiers.ts';
import type { JobCommand, SubmitJob } from './commands.ts';
import type { JobEvent } from './events.ts';
import { aborted } from './job.ts';
import { JOB_VERSION, type jobMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof jobMachine>;

const LIMITS = {
  durationSeconds: { field: 'duration_seconds', whole: false, min: 1, max: 30 * 86_400 },
  memoryMb: { field: 'memory_mb', whole: true, min: 1, max: 4096 },
  auctionSeconds: { field: 'auction_seconds', whole: true, min: 1, max: 86_400 },
} as const;

const ARGUMENT_LIMIT = { count: 64, bytes: 16_384 };

/** Rules over commands of a job. After the submission it is its children and effects that move it. */
export const decide = (snapshot: Snapshot, command: JobCommand, ctx: DecisionContext): Decision<JobEvent> => {
  switch (command.type) {
    case 'submit':
      return submit(snapshot, command, ctx);
    case 'deadline': {
      const event = aborted(
        'RESOURCE_UNAVAILABLE',
        `the job made no progress while ${stateName(snapshot.value)}`,
      );
      return snapshot.can(event) ? accept(event) : reject('CONFLICT', 'the job has moved on');
    }
  }
};

const boundErrors = (command: SubmitJob): FieldError[] => {
  const errors: FieldError[] = [];
  for (const [name, { field, whole, min, max }] of Object.entries(LIMITS)) {
    const value = command[name as keyof typeof LIMITS];
    const isNumber = whole ? Number.isInteger(value) : Number.isFinite(value);
    if (!isNumber || value < min || value > max)
      errors.push({ field, rule: `${whole ? 'an integer ' : ''}from ${min} to ${max}` });
  }
  const bytes = command.args.reduce((sum, arg) => sum + utf8ToBytes(arg).length + 1, 0);
  if (command.args.length > ARGUMENT_LIMIT.count || bytes > ARGUMENT_LIMIT.bytes) {
    errors.push({
      field: 'args',
      rule: `at most ${ARGUMENT_LIMIT.count} arguments and ${ARGUMENT_LIMIT.bytes} bytes`,
    });
  }
  return errors;
};

const submit = (snapshot: Snapshot, command: SubmitJob, ctx: DecisionContext): Decision<JobEvent> => {
  if (!snapshot.matches('new')) {
    const [what, field] = command.auctionGiven ? ['auction', 'auction_id'] : ['quote', 'quote_id'];
    return reject('CONFLICT', `this ${what} has already been used for a job`, [
      { field, rule: 'not used before' },
    ]);
  }
  const errors = boundErrors(command);
  if (errors.length > 0) return reject('INVALID_REQUEST', 'the job is out of bounds', errors);
  const { type: _, ...facts } = command;
  return accept({
    type: 'job.submitted',
    machineVersion: JOB_VERSION,
    ...facts,
    winners: TIERS[command.tier].winners,
    submittedAt: ctx.now,
  });
};
