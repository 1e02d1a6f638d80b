import type { Decision, DecisionContext } from './decision.ts';
import type { DomainEvent } from './event.ts';
import type { Fold } from './fold.ts';
import type { LedgerEntry } from './ledger/entry.ts';

/** An aggregate without timers or effects: what it starts from, how it changes, and what it decides. Pure. */
export interface Decider<State, Command, Event extends DomainEvent> extends Fold<State, Event> {
  readonly decide: (state: State, command: Command, context: DecisionContext) => Decision<Event>;
  /** Money that follows an event: from the state before it. */
  readonly movements?: (state: State, event: Event, eventId: string) => readonly LedgerEntry[];
}
