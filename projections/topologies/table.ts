import type { BeaconSource } from '../../domain/topology/events.ts';
import type { Table } from '../table.ts';

/** One epoch of the topology. */
export interface TopologyRow {
  readonly topologyId: string;
  readonly network: string;
  readonly epoch: number;
  readonly epochSeconds: number;
  /** State of its lifecycle. */
  readonly state: string;
  readonly registrationClosesAt: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly holdsUntil: string;
  readonly bootstrap: boolean;
  /** Hex; null until the candidates are committed to. */
  readonly candidateRoot: string | null;
  readonly candidateCount: number | null;
  readonly candidateSet: string | null;
  /** Hex; null until it is fixed. */
  readonly beacon: string | null;
  readonly beaconSource: BeaconSource | null;
  readonly position: string;
}

export const topologiesTable: Table<TopologyRow> = {
  name: 'topologies',
  key: ['topologyId'],
  columns: {
    topologyId: 'text',
    network: 'text',
    epoch: 'long',
    epochSeconds: 'integer',
    state: 'text',
    registrationClosesAt: 'instant',
    startsAt: 'instant',
    endsAt: 'instant',
    holdsUntil: 'instant',
    bootstrap: 'boolean',
    candidateRoot: 'text',
    candidateCount: 'long',
    candidateSet: 'text',
    beacon: 'text',
    beaconSource: 'json',
    position: 'position',
  },
  indexes: [['network', 'epoch'], ['startsAt']],
};

/** What one node drew in one epoch. */
export interface DrawRow {
  readonly topologyId: string;
  readonly nodeId: string;
  readonly index: number;
  /** beta and pi, hex. */
  readonly output: string;
  readonly proof: string;
  /** Node ids in the order drawn. */
  readonly neighbours: readonly string[];
  readonly selectedAt: string;
  readonly position: string;
}

export const drawsTable: Table<DrawRow> = {
  name: 'neighbour_draws',
  key: ['topologyId', 'nodeId'],
  columns: {
    topologyId: 'text',
    nodeId: 'text',
    index: 'long',
    output: 'text',
    proof: 'text',
    neighbours: 'json',
    selectedAt: 'instant',
    position: 'position',
  },
};
