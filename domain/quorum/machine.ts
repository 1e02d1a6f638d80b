import { assign, cancel, raise, setup } from 'xstate';
import type { OpenedBid, Winner } from '../auction/events.ts';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { type Micro, ZERO } from '../money.ts';
import type { TierName } from '../tiers.ts';
import { msBetween } from '../time.ts';
import type {
  MemberLost,
  QuorumDegraded,
  QuorumEvent,
  QuorumFormed,
  QuorumReformed,
  Violation,
} from './events.ts';

/** Version 2 is the same machine; what a loss does to prices changed with it (`replaceMember`). */
export const QUORUM_VERSION = 2;

export interface Quorum {
  readonly quorumId: string;
  readonly jobId: string;
  readonly auctionId: string;
  readonly tier: TierName;
  readonly target: number;
  readonly requiredUp: number;
  readonly ceiling: Micro;
  readonly seed: string;
  readonly epoch: number;
  readonly members: readonly Winner[];
  readonly reserve: readonly OpenedBid[];
  /** Lost in the current epoch: their owners are barred from the next. */
  readonly lost: readonly { readonly providerId: string; readonly owner: string }[];
  /** Members wanted beyond what the tier buys. */
  readonly extra: number;
  readonly predictedAvailability: number;
  readonly violations: readonly Violation[];
  readonly formedAt: string;
  readonly expiresAt: string;
}

const blank: Quorum = {
  quorumId: '',
  jobId: '',
  auctionId: '',
  tier: 'bronze',
  target: 0,
  requiredUp: 0,
  ceiling: ZERO,
  seed: '',
  epoch: 0,
  members: [],
  reserve: [],
  lost: [],
  extra: 0,
  predictedAvailability: 0,
  violations: [],
  formedAt: '',
  expiresAt: '',
};

const formed = ({ type: _, machineVersion: __, ...facts }: QuorumFormed): Quorum => ({ ...blank, ...facts });

const withoutLost = (quorum: Quorum, event: MemberLost): Partial<Quorum> => ({
  members: quorum.members.filter((member) => member.providerId !== event.providerId),
  reserve: quorum.reserve.filter((bid) => bid.owner !== event.owner),
  lost: [...quorum.lost, { providerId: event.providerId, owner: event.owner }],
});

const reformed = (event: QuorumReformed): Partial<Quorum> => ({
  epoch: event.epoch,
  members: event.members,
  reserve: event.reserve,
  predictedAvailability: event.predictedAvailability,
  violations: [],
  lost: [],
});

const degraded = (event: QuorumDegraded): Partial<Quorum> => ({
  epoch: event.epoch,
  members: event.members,
  predictedAvailability: event.predictedAvailability,
  violations: event.violations,
  lost: [],
});

/** False for a re-solve that began before its set lost one more member: the next answer is on its way. */
const keepsNoneLost = ({
  context,
  event,
}: {
  context: Quorum;
  event: QuorumEvent | DeadlineRaised;
}): boolean =>
  !('members' in event) ||
  event.members.every((member) => !context.lost.some((lost) => lost.providerId === member.providerId));

/** What may happen to a quorum as long as it stands. */
const standing = {
  'quorum.member-lost': { guard: 'isMember', target: '#quorum.reforming', reenter: true, actions: 'lose' },
  'quorum.member-requested': { target: '#quorum.reforming', reenter: true, actions: 'extend' },
  'quorum.dissolved': { target: '#quorum.dissolved' },
} as const;

/**
 * A set of members with a promised availability; a lost member is replaced in a new epoch or the set is degraded.
 * The expiry starts anew with every state: a quorum nobody touches for its lifetime dissolves.
 */
export const quorumMachine = setup({
  types: { context: {} as Quorum, events: {} as QuorumEvent | DeadlineRaised },
  actors: { reform: effect<{ quorumId: string; epoch: number }>() },
  actions: {
    lose: assign(({ context, event }) =>
      event.type === 'quorum.member-lost' ? withoutLost(context, event) : {},
    ),
    extend: assign({ extra: ({ context }) => context.extra + 1 }),
  },
  guards: {
    isMember: ({ context, event }) =>
      event.type === 'quorum.member-lost' &&
      context.members.some((member) => member.providerId === event.providerId),
    keepsNoneLost,
  },
  delays: { lifetime: ({ context }) => msBetween(context.formedAt, context.expiresAt) },
}).createMachine({
  id: 'quorum',
  initial: 'new',
  context: blank,
  states: {
    new: { on: { 'quorum.formed': { target: 'formed', actions: assign(({ event }) => formed(event)) } } },
    formed: {
      tags: ['report'],
      entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
      exit: cancel('expiry'),
      on: standing,
    },
    reforming: {
      entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
      exit: cancel('expiry'),
      invoke: {
        id: 'reform',
        src: 'reform',
        input: ({ context }) => ({ quorumId: context.quorumId, epoch: context.epoch }),
      },
      on: {
        ...standing,
        'quorum.reformed': {
          guard: 'keepsNoneLost',
          target: 'formed',
          actions: assign(({ event }) => reformed(event)),
        },
        'quorum.degraded': {
          guard: 'keepsNoneLost',
          target: 'degraded',
          actions: assign(({ event }) => degraded(event)),
        },
      },
    },
    degraded: {
      tags: ['report'],
      entry: raise({ type: 'deadline', id: 'expiry' }, { id: 'expiry', delay: 'lifetime' }),
      exit: cancel('expiry'),
      on: standing,
    },
    dissolved: { type: 'final' },
  },
});
