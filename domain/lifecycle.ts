import { type AnyMachineSnapshot, type AnyStateMachine, fromPromise, transition } from 'xstate';
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

/**
 * One step of the fold. The log holds only events that a decision allowed, so an event the state refuses is a broken
 * invariant, not something to skip.
 * @throws RefusedEventError when the state does not accept `event`.
 */
export const applyEvent = (machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: DomainEvent) => {
  if (!snapshot.can(event)) {
    throw new RefusedEventError(
      `${machine.id} in state ${JSON.stringify(snapshot.value)} refuses ${event.type}`,
    );
  }
  return transition(machine, snapshot, event);
};
