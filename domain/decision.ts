import { type Rejection, rejectField } from './errors.ts';
import type { DomainEvent } from './event.ts';
import { jsonFault } from './text.ts';

export interface Acceptance<E extends DomainEvent> {
  readonly ok: true;
  readonly events: readonly E[];
}

/** What `decide` answers: the events that now happened, or a typed refusal that leaves no trace. */
export type Decision<E extends DomainEvent> = Acceptance<E> | Rejection;

export const accept = <E extends DomainEvent>(...events: readonly E[]): Acceptance<E> => ({
  ok: true,
  events,
});

/**
 * The refusal of a command that holds what no event may (`domain/text.ts`); null for every other. Asked where commands
 * arrive, not in `decide`: what was decided once is decided the same way for ever.
 */
export const unreadable = (command: object): Rejection | null => {
  const fault = jsonFault(command, 'command');
  return fault && rejectField(fault.field, fault.rule);
};

/** What a decision may know beside state and command: the host's clock and the caller. */
export interface DecisionContext {
  /** RFC 3339 UTC instant. */
  readonly now: string;
  /** Principal id from the token, or `engine`. */
  readonly actor: string;
}

/** A deadline that a machine described has passed; `decide` turns it into domain events (settled 3). */
export interface DeadlineCommand {
  readonly type: 'deadline';
  readonly id: string;
  readonly dueAt: string;
}
