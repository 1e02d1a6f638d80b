import {
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  fromPromise,
} from 'xstate';
import type { Decision, DecisionContext } from './decision.ts';
import type { DomainEvent } from './event.ts';
import type { LedgerEntry } from './ledger/entry.ts';
import type { Command } from './ports/lifecycles.ts';

/** The delayed event every machine may raise; the host hands it to `decide`, so a machine never receives it. */
export interface DeadlineRaised {
  readonly type: 'deadline';
  readonly id: string;
}

/** Names an effect with its input type. The host runs an activity for it; the machine itself never does anything. */
export const effect = <Input>() =>
  fromPromise<never, Input>(() => {
    throw new Error('effects are run by the durable host, never by an actor');
  });

/** What an aggregate consists of, at one version of its machine. */
export interface LifecycleVersion {
  readonly machine: AnyStateMachine;
  readonly decide: (
    snapshot: AnyMachineSnapshot,
    command: Command,
    context: DecisionContext,
  ) => Decision<DomainEvent>;
  /** Money that follows an event: pure, from the state before it. */
  readonly movements?: (state: unknown, event: DomainEvent, eventId: string) => readonly LedgerEntry[];
}

/** The top-level state: `open`, also for nested values like `{ forming: 'replacing' }`. */
export const stateName = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const [name] = Object.keys(value as Record<string, unknown>);
  if (name === undefined) throw new Error('a state value names at least one state');
  return name;
};

export class RefusedEventError extends Error {
  override readonly name = 'RefusedEventError';
}

/** What a machine asks for, as XState describes it. */
export interface MachineAction {
  readonly type: string;
  readonly params: unknown;
}

const ignore = () => undefined;
const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

/**
 * Where a machine's transitions take place: an actor that is never started and does nothing. XState's own `transition`
 * makes one for every event, which costs as much as the transition; one serves all events of a machine.
 */
const scopeOf = (machine: AnyStateMachine): AnyActorScope => {
  const known = scopes.get(machine);
  if (known) return known;
  const self = createActor(machine);
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: '',
    sessionId: '',
    logger: ignore,
    defer: ignore,
    emit: ignore,
    stopChild: ignore,
    actionExecutor: ignore,
  };
  scopes.set(machine, scope);
  return scope;
};

/**
 * One step of the fold. The log holds only events that a decision allowed, so an event the state refuses is a broken
 * invariant, not something to skip.
 * @throws RefusedEventError when the state does not accept `event`.
 */
export const applyEvent = (
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: DomainEvent,
): [AnyMachineSnapshot, MachineAction[]] => {
  if (!snapshot.can(event)) {
    throw new RefusedEventError(
      `${machine.id} in state ${JSON.stringify(snapshot.value)} refuses ${event.type}`,
    );
  }
  const actions: MachineAction[] = [];
  const scope = { ...scopeOf(machine), actionExecutor: (action: MachineAction) => void actions.push(action) };
  return [machine.transition(snapshot, event, scope), actions];
};
