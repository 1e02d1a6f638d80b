/** An epoch of the topology was announced: whose keys count, and from when to when its draws hold. */
export interface TopologyOpened {
  readonly type: 'topology.opened';
  readonly machineVersion: number;
  readonly network: string;
  readonly epoch: number;
  readonly epochSeconds: number;
  /** Keys registered later are for later epochs. */
  readonly registrationClosesAt: string;
  /** When the candidates are frozen and the beacon is fixed. */
  readonly startsAt: string;
  /** End of the epoch. */
  readonly endsAt: string;
  /** End of the next one, up to which its draws hold beside those of the next. */
  readonly holdsUntil: string;
  /** The first epochs of a network: their keys were registered before the beacon, but less than an epoch before. */
  readonly bootstrap: boolean;
  readonly openedAt: string;
}

export interface RegistrationClosed {
  readonly type: 'topology.registration-closed';
  readonly closedAt: string;
}

/** The candidates, frozen before anybody could know the beacon. */
export interface CandidatesCommitted {
  readonly type: 'topology.candidates-committed';
  /** RFC 6962 root over the set, hex. */
  readonly candidateRoot: string;
  readonly candidateCount: number;
  /** Artefact that holds the set: lower-case hex SHA-256. */
  readonly candidateSet: string;
  /** The set is what the log up to this position makes of the providers (decimal). */
  readonly position: string;
  readonly committedAt: string;
}

/** What the beacon was made from. Both can be ground by whoever runs the log, which is why it is said. */
export type BeaconSource =
  /** A signed checkpoint that covers the commitment to the candidates. */
  | { readonly kind: 'checkpoint'; readonly size: string; readonly hash: string }
  /** The chain hash of the commitment's own event. */
  | { readonly kind: 'log'; readonly size: string; readonly hash: string };

export interface BeaconFixed {
  readonly type: 'topology.beacon-fixed';
  /** 32 bytes, hex. */
  readonly beacon: string;
  readonly source: BeaconSource;
  readonly fixedAt: string;
}

/** A node's draw, verified before it was recorded. With the candidate set it gives the whole selection again. */
export interface NeighboursSelected {
  readonly type: 'topology.neighbours-selected';
  readonly nodeId: string;
  /** Index among the candidates. */
  readonly index: number;
  /** beta and pi, hex. */
  readonly output: string;
  readonly proof: string;
  /** Node ids, in the order drawn. */
  readonly neighbours: readonly string[];
  readonly selectedAt: string;
}

export interface TopologyEnded {
  readonly type: 'topology.ended';
  readonly endedAt: string;
}

export interface TopologyFailed {
  readonly type: 'topology.failed';
  readonly message: string;
}

export type TopologyEvent =
  | TopologyOpened
  | RegistrationClosed
  | CandidatesCommitted
  | BeaconFixed
  | NeighboursSelected
  | TopologyEnded
  | TopologyFailed;
