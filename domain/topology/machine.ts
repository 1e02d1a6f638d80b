import { assign, cancel, raise, setup } from 'xstate';
import { type DeadlineRaised, effect } from '../lifecycle.ts';
import { msBetween } from '../time.ts';
import type {
  BeaconFixed,
  BeaconSource,
  CandidatesCommitted,
  TopologyEvent,
  TopologyOpened,
} from './events.ts';

export const TOPOLOGY_VERSION = 1;

export interface Topology extends Omit<TopologyOpened, 'type' | 'machineVersion'> {
  /** Since when the present state holds: deadlines count from here. */
  readonly since: string;
  readonly candidates: Omit<CandidatesCommitted, 'type' | 'committedAt'> | null;
  readonly beacon: string | null;
  readonly beaconSource: BeaconSource | null;
  /** Indices of the candidates whose draw is recorded. */
  readonly selected: readonly number[];
}

const blank: Topology = {
  network: '',
  epoch: 0,
  epochSeconds: 0,
  registrationClosesAt: '',
  startsAt: '',
  endsAt: '',
  holdsUntil: '',
  bootstrap: false,
  openedAt: '',
  since: '',
  candidates: null,
  beacon: null,
  beaconSource: null,
  selected: [],
};

const opened = ({ type: _, machineVersion: __, ...facts }: TopologyOpened): Topology => ({
  ...blank,
  ...facts,
  since: facts.openedAt,
});

const committed = ({ type: _, committedAt, ...candidates }: CandidatesCommitted): Partial<Topology> => ({
  candidates,
  since: committedAt,
});

const fixed = ({ beacon, source, fixedAt }: BeaconFixed): Partial<Topology> => ({
  beacon,
  beaconSource: source,
  since: fixedAt,
});

const until = ({ since }: Topology, at: string): number => Math.max(0, msBetween(since, at));

/**
 * One epoch of the topology. The order is the point: keys are registered, then the candidates are committed to, then
 * the beacon is fixed, and only then can anybody draw.
 */
export const topologyMachine = setup({
  types: { context: {} as Topology, events: {} as TopologyEvent | DeadlineRaised },
  actors: {
    commitCandidates: effect<{ topology: Topology }>(),
    fixBeacon: effect<{ topology: Topology }>(),
    collectSelections: effect<{ topology: Topology }>(),
  },
  delays: {
    untilStart: ({ context }) => until(context, context.startsAt),
    untilEnd: ({ context }) => until(context, context.holdsUntil),
  },
}).createMachine({
  id: 'topology',
  initial: 'new',
  context: blank,
  states: {
    new: {
      on: { 'topology.opened': { target: 'announced', actions: assign(({ event }) => opened(event)) } },
    },
    announced: {
      entry: raise({ type: 'deadline', id: 'start' }, { id: 'start', delay: 'untilStart' }),
      exit: cancel('start'),
      on: {
        'topology.registration-closed': {
          target: 'committing',
          actions: assign(({ event }) => ({ since: event.closedAt })),
        },
      },
    },
    committing: {
      invoke: { id: 'commit', src: 'commitCandidates', input: ({ context }) => ({ topology: context }) },
      on: {
        'topology.candidates-committed': {
          target: 'fixing',
          actions: assign(({ event }) => committed(event)),
        },
        'topology.failed': 'failed',
      },
    },
    fixing: {
      invoke: { id: 'fix', src: 'fixBeacon', input: ({ context }) => ({ topology: context }) },
      on: {
        'topology.beacon-fixed': { target: 'active', actions: assign(({ event }) => fixed(event)) },
        'topology.failed': 'failed',
      },
    },
    active: {
      entry: raise({ type: 'deadline', id: 'end' }, { id: 'end', delay: 'untilEnd' }),
      exit: cancel('end'),
      invoke: { id: 'collect', src: 'collectSelections', input: ({ context }) => ({ topology: context }) },
      on: {
        'topology.neighbours-selected': {
          actions: assign(({ context, event }) => ({ selected: [...context.selected, event.index] })),
        },
        'topology.ended': 'ended',
      },
    },
    ended: { type: 'final' },
    failed: { type: 'final' },
  },
});
