import { and, assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import type { JobEvent } from './events.ts';
import { blankJob, evolveJob, type Job, phaseOf, unboundOf } from './job.ts';
import { waitLeftMs } from './waiting.ts';

/**
 * Version 4 is the machine of version 3 whose jobs may wait for room before their auction, and for another one after it. Since
 * version 3 a replacement is asked before it is launched, and bound by a deposit like a winner (settled 38).
 */
export const JOB_VERSION = 4;

/** Margins on top of what a state may rightly take; past them the job is aborted, never left hanging (invariant 20). */
const SECONDS = 1000;
const AUCTION_MARGIN = 120 * SECONDS;
const FORMING_LIMIT = 120 * SECONDS;
const LAUNCH_LIMIT = 180 * SECONDS;
const RUN_MARGIN = 180 * SECONDS;
const PROOF_LIMIT = 300 * SECONDS;

type Events = JobEvent | DeadlineRaised;
interface Step {
  readonly context: Job;
  readonly event: Events;
}

/** The job after the event. The host never sends a raised deadline back, so it changes nothing. */
const after = ({ context, event }: Step): Job =>
  event.type === 'deadline' ? context : evolveJob(context, event);

const memberOf = ({ context, event }: Step) =>
  'providerId' in event
    ? context.members.find((member) => member.providerId === event.providerId)
    : undefined;

/** Who is not to be a member any more. */
const goneFrom = ({ failed, declined = [] }: Job): readonly string[] => [
  ...failed.map(({ providerId }) => providerId),
  ...declined,
];

/** False for the report of an epoch that still holds somebody gone: the next epoch is on its way. */
const nobodyGone = ({ context, event }: Step): boolean => {
  const gone = goneFrom(context);
  return !('members' in event) || event.members.every(({ providerId }) => !gone.includes(providerId));
};

/** Where the event of a complete quorum leads: decided by the state after it. Whoever was added is asked first. */
const nextPhase = [
  { guard: and(['nobodyGone', 'toAsk']), target: '#job.forming.asking', reenter: true, actions: 'fold' },
  { guard: and(['nobodyGone', 'toLaunch']), target: '#job.launching', actions: 'fold' },
  { guard: and(['nobodyGone', 'toRun']), target: '#job.running', actions: 'fold' },
  { guard: and(['nobodyGone', 'toProve']), target: '#job.proving', actions: 'fold' },
] as const;

/** A standby that declined is not at fault; somebody else is asked. */
const replaceDeclined = {
  guard: 'isUnbound',
  target: '#job.forming.replacing',
  reenter: true,
  actions: 'fold',
} as const;

/** A member that failed is replaced from wherever the job stands. */
const replaceFailed = {
  guard: 'isMember',
  target: '#job.forming.replacing',
  reenter: true,
  actions: 'fold',
} as const;

/**
 * A job from submission to settlement. Auction, quorum and enclaves are lifecycles of their own that report here;
 * nothing moves the job but its own events.
 */
export const jobMachine = setup({
  types: { context: {} as Job, events: {} as Events },
  actors: {
    admit: effect<{ job: Job }>(),
    openAuction: effect<{ job: Job }>(),
    takeAward: effect<{ job: Job }>(),
    formQuorum: effect<{ job: Job }>(),
    replaceMembers: effect<{ quorumId: string; lost: readonly string[] }>(),
    askStandbys: effect<{ job: Job }>(),
    addMember: effect<{ quorumId: string }>(),
    launch: effect<{ job: Job }>(),
    run: effect<{ job: Job }>(),
    prove: effect<{ job: Job }>(),
    settle: effect<{ job: Job }>(),
  },
  actions: { fold: assign((step) => after(step)) },
  guards: {
    mayWait: ({ event }) => event.type === 'job.submitted' && event.maxWaitSeconds !== undefined,
    auctionGiven: ({ event }) => event.type === 'job.submitted' && event.auctionGiven,
    isMember: (step) => memberOf(step) !== undefined,
    isUnbound: (step) =>
      unboundOf(step.context).some(({ providerId }) => providerId === memberOf(step)?.providerId),
    awaitsResult: (step) => memberOf(step)?.result === null,
    nobodyGone,
    toAsk: (step) => unboundOf(after(step)).length > 0,
    toLaunch: (step) => phaseOf(after(step)) === 'launching',
    toRun: (step) => phaseOf(after(step)) === 'running',
    toProve: (step) => phaseOf(after(step)) === 'proving',
  },
  delays: {
    waitLimit: ({ context }) => waitLeftMs(context),
    auctionLimit: ({ context }) => 2 * context.auctionSeconds * SECONDS + AUCTION_MARGIN,
    formingLimit: FORMING_LIMIT,
    launchLimit: LAUNCH_LIMIT,
    runLimit: ({ context }) => context.durationSeconds * SECONDS + RUN_MARGIN,
    proofLimit: PROOF_LIMIT,
  },
}).createMachine({
  id: 'job',
  initial: 'new',
  context: blankJob,
  states: {
    new: {
      on: {
        'job.submitted': [
          { guard: 'auctionGiven', target: 'auctioning.taking', actions: 'fold' },
          { guard: 'mayWait', target: 'queued', actions: 'fold' },
          { target: 'quoted', actions: 'fold' },
        ],
      },
    },
    queued: {
      entry: raise({ type: 'deadline', id: 'waited' }, { id: 'waited', delay: 'waitLimit' }),
      exit: cancel('waited'),
      invoke: { id: 'admit', src: 'admit', input: ({ context }) => ({ job: context }) },
      on: {
        'job.admitted': { target: 'quoted', actions: 'fold' },
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
    },
    quoted: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'formingLimit' }),
      exit: cancel('stalled'),
      invoke: { id: 'openAuction', src: 'openAuction', input: ({ context }) => ({ job: context }) },
      on: {
        'job.auction-opened': { target: 'auctioning.waiting', actions: 'fold' },
        'job.requeued': { target: 'queued', actions: 'fold' },
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
    },
    auctioning: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'auctionLimit' }),
      exit: cancel('stalled'),
      initial: 'waiting',
      on: {
        'job.auction-awarded': { target: 'forming.first', actions: 'fold' },
        'job.requeued': { target: 'queued', actions: 'fold' },
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
      states: {
        waiting: { on: { 'job.auction-opened': { actions: 'fold' } } },
        taking: { invoke: { id: 'takeAward', src: 'takeAward', input: ({ context }) => ({ job: context }) } },
      },
    },
    forming: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'formingLimit' }),
      exit: cancel('stalled'),
      initial: 'first',
      on: {
        'job.quorum-formed': nextPhase,
        'job.quorum-degraded': nextPhase,
        'job.enclave-attested': { guard: 'isMember', actions: 'fold' },
        'job.result-received': { guard: 'awaitsResult', actions: 'fold' },
        'job.standby-accepted': { guard: 'isUnbound', actions: 'fold' },
        'job.standby-declined': replaceDeclined,
        'job.member-failed': replaceFailed,
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
      states: {
        first: {
          invoke: { id: 'formQuorum', src: 'formQuorum', input: ({ context }) => ({ job: context }) },
        },
        replacing: {
          invoke: {
            id: 'replaceMembers',
            src: 'replaceMembers',
            input: ({ context }) => ({
              quorumId: context.quorumId ?? '',
              lost: goneFrom(context),
            }),
          },
        },
        asking: {
          invoke: { id: 'askStandbys', src: 'askStandbys', input: ({ context }) => ({ job: context }) },
          on: {
            'job.standby-accepted': [
              { guard: and(['isUnbound', 'toAsk']), actions: 'fold' },
              { guard: and(['isUnbound', 'toLaunch']), target: '#job.launching', actions: 'fold' },
            ],
          },
        },
        adding: {
          invoke: {
            id: 'addMember',
            src: 'addMember',
            input: ({ context }) => ({ quorumId: context.quorumId ?? '' }),
          },
        },
      },
    },
    launching: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'launchLimit' }),
      exit: cancel('stalled'),
      invoke: { id: 'launch', src: 'launch', input: ({ context }) => ({ job: context }) },
      on: {
        'job.enclave-attested': [
          { guard: and(['isMember', 'toRun']), target: 'running', actions: 'fold' },
          { guard: 'isMember', actions: 'fold' },
        ],
        'job.result-received': { guard: 'awaitsResult', actions: 'fold' },
        'job.member-failed': replaceFailed,
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
    },
    running: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'runLimit' }),
      exit: cancel('stalled'),
      invoke: { id: 'run', src: 'run', input: ({ context }) => ({ job: context }) },
      on: {
        'job.run-started': { actions: 'fold' },
        'job.result-received': [
          { guard: and(['awaitsResult', 'toProve']), target: 'proving', actions: 'fold' },
          { guard: 'awaitsResult', actions: 'fold' },
        ],
        'job.member-failed': replaceFailed,
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
    },
    proving: {
      entry: raise({ type: 'deadline', id: 'stalled' }, { id: 'stalled', delay: 'proofLimit' }),
      exit: cancel('stalled'),
      invoke: { id: 'prove', src: 'prove', input: ({ context }) => ({ job: context }) },
      on: {
        'job.proven': { target: 'settling', actions: 'fold' },
        'job.results-disagreed': { target: 'forming.adding', actions: 'fold' },
        'job.aborted': { target: 'settling', actions: 'fold' },
      },
    },
    settling: {
      invoke: { id: 'settle', src: 'settle', input: ({ context }) => ({ job: context }) },
      on: {
        // A job that failed before it heard of its award still holds what the award holds.
        'job.auction-awarded': { actions: 'fold' },
        'job.settled': { target: 'settled', actions: 'fold' },
        'job.failed': { target: 'failed', actions: 'fold' },
      },
    },
    settled: { type: 'final' },
    failed: { type: 'final' },
  },
});
