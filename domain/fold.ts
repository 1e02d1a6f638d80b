import type { DomainEvent } from './event.ts';

/** How the events of a stream come to a state. Pure: a state is never changed. */
export interface Fold<State, Event extends DomainEvent> {
  readonly initialState: State;
  readonly evolve: (state: State, event: Event) => State;
  /** The same for many events at once, where a copy of the state for each of them would cost. */
  readonly evolveAll?: (state: State, events: readonly Event[]) => State;
  /**
   * Version of its states, which JSON can carry: they are kept beside long streams, and only those of this version are read
   * back. To be raised with every change of what a stream folds to. Absent where streams are short: nothing is kept.
   */
  readonly snapshotVersion?: number;
}

/** A fold among those of other aggregates: who picks it by a stream's name gives it that stream's states and events alone. */
export type AnyFold = Fold<unknown, never>;

export const anyFold = <State, Event extends DomainEvent>(fold: Fold<State, Event>): AnyFold =>
  fold as unknown as AnyFold;

/** The state after `events`, which follow `before`. */
export const foldOver = <State, Event extends DomainEvent>(
  { evolve, evolveAll }: Pick<Fold<State, Event>, 'evolve' | 'evolveAll'>,
  before: State,
  events: readonly Event[],
): State => (evolveAll ? evolveAll(before, events) : events.reduce(evolve, before));
