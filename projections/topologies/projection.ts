import type { TopologyEvent } from '../../domain/topology/events.ts';
import { rowProjection } from '../row-model.ts';
import { type TopologyRow, topologiesTable } from './table.ts';

/** One row per epoch: when it holds, what it commits to, and its beacon. */
export const topologies = rowProjection<TopologyEvent, TopologyRow, 'topology.opened'>({
  name: 'topologies',
  version: 1,
  table: topologiesTable,
  first: 'topology.opened',
  create: ({ network, epoch, epochSeconds, registrationClosesAt, startsAt, ...opened }, event) => ({
    topologyId: event.stream,
    network,
    epoch,
    epochSeconds,
    state: 'announced',
    registrationClosesAt,
    startsAt,
    endsAt: opened.endsAt,
    holdsUntil: opened.holdsUntil,
    bootstrap: opened.bootstrap,
    candidateRoot: null,
    candidateCount: null,
    candidateSet: null,
    beacon: null,
    beaconSource: null,
  }),
  on: {
    'topology.registration-closed': () => ({ state: 'committing' }),
    'topology.candidates-committed': (_, { candidateRoot, candidateCount, candidateSet }) => ({
      state: 'fixing',
      candidateRoot,
      candidateCount,
      candidateSet,
    }),
    'topology.beacon-fixed': (_, { beacon, source }) => ({ state: 'active', beacon, beaconSource: source }),
    'topology.ended': () => ({ state: 'ended' }),
    'topology.failed': () => ({ state: 'failed' }),
  },
});
