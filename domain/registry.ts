import { type AnyMachineSnapshot, type AnyStateMachine, getInitialSnapshot } from 'xstate';
import {
  decide as decideAuction,
  decideV1 as decideAuctionV1,
  decideV2 as decideAuctionV2,
  decideV3 as decideAuctionV3,
} from './auction/decide.ts';
import { AUCTION_VERSION, auctionMachine } from './auction/machine.ts';
import { auctionMachineV1 } from './auction/machine-v1.ts';
import { movements as auctionMovements } from './auction/movements.ts';
import { evolveChip } from './chip/fold.ts';
import {
  decide as decideEnclave,
  decideV1 as decideEnclaveV1,
  decideV2 as decideEnclaveV2,
  decideV3 as decideEnclaveV3,
} from './enclave/decide.ts';
import { ENCLAVE_VERSION, enclaveMachine, enclaveMachineV2, enclaveMachineV3 } from './enclave/machine.ts';
import { enclaveMachineV1 } from './enclave/machine-v1.ts';
import { movements as enclaveMovements } from './enclave/movements.ts';
import { aggregateOf, type DomainEvent, domainEventOf, type NewEvent } from './event.ts';
import { type AnyFold, anyFold, type Fold, foldOver } from './fold.ts';
import {
  decide as decideJob,
  decideV1 as decideJobV1,
  decideV2 as decideJobV2,
  decideV3 as decideJobV3,
} from './job/decide.ts';
import { JOB_VERSION, jobMachine } from './job/machine.ts';
import { jobMachineV2 } from './job/machine-v2.ts';
import { movements as jobMovements } from './job/movements.ts';
import { emptyLedger, evolveLedger, foldLedger } from './ledger/fold.ts';
import { applyEvent, type LifecycleVersion, stateName } from './lifecycle.ts';
import { evolveObservation } from './observation/fold.ts';
import { evolveAcceptance } from './predicate/acceptance.ts';
import { decide as decidePredicate } from './predicate/decide.ts';
import { PREDICATE_VERSION, predicateMachine } from './predicate/machine.ts';
import { evolveProof, noProof } from './proof/fold.ts';
import { providerFold } from './provider/fold.ts';
import { decide as decideQuorum, decideV1 as decideQuorumV1 } from './quorum/decide.ts';
import { QUORUM_VERSION, quorumMachine } from './quorum/machine.ts';
import { evolveSla, noCredit } from './sla/fold.ts';
import { evolveSubject } from './subject/fold.ts';
import { decide as decideTopology } from './topology/decide.ts';
import { TOPOLOGY_VERSION, topologyMachine } from './topology/machine.ts';

/** An aggregate whose machine the durable host runs. Old versions stay: running streams keep the one they began with. */
export interface LifecycleFamily {
  readonly current: number;
  /** Type of the first event of every stream. */
  readonly opening: string;
  readonly versions: Readonly<Record<number, LifecycleVersion>>;
}

type Loose<T> = T extends (...args: infer A) => infer R ? (...args: { [K in keyof A]: never }) => R : never;

/** Each aggregate is typed on its own; the registry holds them side by side and the stream's prefix picks one. */
const version = (
  machine: AnyStateMachine,
  decide: Loose<LifecycleVersion['decide']>,
  movements?: Loose<NonNullable<LifecycleVersion['movements']>>,
): LifecycleVersion => ({
  machine,
  decide: decide as LifecycleVersion['decide'],
  ...(movements && { movements: movements as NonNullable<LifecycleVersion['movements']> }),
});

export const LIFECYCLES = {
  auction: {
    current: AUCTION_VERSION,
    opening: 'auction.opened',
    versions: {
      1: version(auctionMachineV1, decideAuctionV1, auctionMovements),
      2: version(auctionMachine, decideAuctionV2, auctionMovements),
      3: version(auctionMachine, decideAuctionV3, auctionMovements),
      4: version(auctionMachine, decideAuction, auctionMovements),
    },
  },
  quorum: {
    current: QUORUM_VERSION,
    opening: 'quorum.formed',
    versions: {
      1: version(quorumMachine, decideQuorumV1),
      2: version(quorumMachine, decideQuorum),
    },
  },
  enclave: {
    current: ENCLAVE_VERSION,
    opening: 'enclave.requested',
    versions: {
      1: version(enclaveMachineV1, decideEnclaveV1),
      2: version(enclaveMachineV2, decideEnclaveV2),
      3: version(enclaveMachineV3, decideEnclaveV3, enclaveMovements),
      4: version(enclaveMachine, decideEnclave, enclaveMovements),
    },
  },
  job: {
    current: JOB_VERSION,
    opening: 'job.submitted',
    versions: {
      1: version(jobMachineV2, decideJobV1, jobMovements),
      2: version(jobMachineV2, decideJobV2, jobMovements),
      3: version(jobMachine, decideJobV3, jobMovements),
      4: version(jobMachine, decideJob, jobMovements),
    },
  },
  predicate: {
    current: PREDICATE_VERSION,
    opening: 'predicate.requested',
    versions: { 1: version(predicateMachine, decidePredicate) },
  },
  topology: {
    current: TOPOLOGY_VERSION,
    opening: 'topology.opened',
    versions: { 1: version(topologyMachine, decideTopology) },
  },
} as const satisfies Record<string, LifecycleFamily>;

export type LifecycleName = keyof typeof LIFECYCLES;

export const isLifecycle = (aggregate: string): aggregate is LifecycleName => aggregate in LIFECYCLES;

/** @throws Error for an aggregate or version this build does not know: its streams cannot be read. */
export const lifecycleVersion = (aggregate: string, versionNumber: number): LifecycleVersion => {
  const family: LifecycleFamily | undefined = isLifecycle(aggregate) ? LIFECYCLES[aggregate] : undefined;
  const found = family?.versions[versionNumber];
  if (!found) throw new Error(`no machine for ${aggregate} version ${versionNumber}`);
  return found;
};

/** A machine's state, and the version that its stream began with; null before the first event. */
type MachineState = { readonly version: number; readonly snapshot: AnyMachineSnapshot } | null;

/** The fold of a lifecycle: its machine, in the version that the first event names. */
const machineFold = (aggregate: string): Fold<MachineState, DomainEvent> => ({
  initialState: null,
  evolve: (before, event) => {
    const version = before?.version ?? Number((event as { machineVersion?: unknown }).machineVersion ?? 1);
    const { machine } = lifecycleVersion(aggregate, version);
    const [snapshot] = applyEvent(machine, before?.snapshot ?? getInitialSnapshot(machine), event);
    return { version, snapshot };
  },
});

const MACHINE_FOLDS: ReadonlyMap<string, AnyFold> = new Map(
  Object.keys(LIFECYCLES).map((aggregate) => [aggregate, anyFold(machineFold(aggregate))]),
);

/** Aggregates without timers or effects: a fold, no machine. */
const FOLDS: Readonly<Record<string, AnyFold>> = {
  acceptance: anyFold({ initialState: null, evolve: evolveAcceptance }),
  chip: anyFold({ initialState: null, evolve: evolveChip }),
  ledger: anyFold({ initialState: emptyLedger, evolve: evolveLedger, evolveAll: foldLedger }),
  observation: anyFold({ initialState: null, evolve: evolveObservation }),
  proof: anyFold({ initialState: noProof, evolve: evolveProof }),
  provider: anyFold(providerFold),
  sla: anyFold({ initialState: noCredit, evolve: evolveSla }),
  subject: anyFold({ initialState: null, evolve: evolveSubject }),
};

/** Whether this build knows the aggregate of a stream. */
export const isAggregate = (stream: string): boolean => {
  const aggregate = aggregateOf(stream);
  return MACHINE_FOLDS.has(aggregate) || Object.hasOwn(FOLDS, aggregate);
};

/** The fold of a stream, by its aggregate. @throws Error for an aggregate that this build does not know. */
export const foldOf = (stream: string): AnyFold => {
  const aggregate = aggregateOf(stream);
  const fold = MACHINE_FOLDS.get(aggregate) ?? FOLDS[aggregate];
  if (!fold) throw new Error(`no aggregate named ${aggregate}`);
  return fold;
};

/** What a stream has come to. */
export interface StreamState {
  /** Revision of the last event; -1 for an empty stream. */
  readonly revision: number;
  /** State value; `active` for an aggregate without a machine. */
  readonly value: unknown;
  readonly context: unknown;
}

/** A state of `foldOf(stream)` as every aggregate shows it. */
export const streamStateOf = (stream: string, state: unknown, revision: number): StreamState => {
  if (!isLifecycle(aggregateOf(stream))) return { revision, value: 'active', context: state };
  if (state === null) throw new Error(`${stream} has no state before its first event`);
  const { value, context } = (state as NonNullable<MachineState>).snapshot;
  return { revision, value, context };
};

/** Whether a state of `foldOf(stream)` is the end of a lifecycle. */
export const hasEnded = (stream: string, state: unknown): boolean =>
  isLifecycle(aggregateOf(stream)) && (state as MachineState)?.snapshot.status === 'done';

export interface FoldedStream extends StreamState {
  readonly version: number;
}

type StoredEvent = Pick<NewEvent, 'type' | 'data'>;

/** The machine version that the first of `events` names. */
export const machineVersionOf = (events: readonly StoredEvent[]): number =>
  Number(events[0]?.data['machineVersion'] ?? 1);

/** The machine state after `events`, which begin at revision 0. @throws RefusedEventError on a log that breaks a rule. */
export const foldMachine = (aggregate: string, events: readonly StoredEvent[]): AnyMachineSnapshot => {
  const { machine } = lifecycleVersion(aggregate, machineVersionOf(events));
  let snapshot: AnyMachineSnapshot = getInitialSnapshot(machine);
  for (const event of events) [snapshot] = applyEvent(machine, snapshot, domainEventOf<DomainEvent>(event));
  return snapshot;
};

/** State of any stream from its events (from revision 0), by the machine version its first event names. */
export const foldStream = (stream: string, events: readonly StoredEvent[]): FoldedStream => {
  const aggregate = aggregateOf(stream);
  const revision = events.length - 1;
  const version = machineVersionOf(events);
  if (isLifecycle(aggregate)) {
    const { value, context } = foldMachine(aggregate, events);
    return { revision, version, value, context };
  }
  const fold = foldOf(stream);
  const context = foldOver(
    fold,
    fold.initialState,
    events.map((event) => domainEventOf<never>(event)),
  );
  return { revision, version, value: 'active', context };
};

/** Top-level state name of a folded stream. */
export const foldedState = (folded: Pick<StreamState, 'value'>): string => stateName(folded.value);
