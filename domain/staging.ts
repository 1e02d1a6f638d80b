import type { AnyMachineSnapshot } from 'xstate';
import { type DomainEvent, eventId } from './event.ts';
import type { LedgerEntry } from './ledger/entry.ts';
import { applyEvent, type LifecycleVersion, type MachineAction } from './lifecycle.ts';

/** A lifecycle's state after the event `revision`; -1 before its first. */
export interface Standing {
  readonly snapshot: AnyMachineSnapshot;
  readonly revision: number;
}

/** Events as they would stand in the log: their money, what the machine then asks for, and the state they lead to. */
export interface Staged extends Standing {
  readonly events: readonly DomainEvent[];
  readonly entries: readonly LedgerEntry[];
  readonly actions: readonly MachineAction[];
}

/**
 * Applies `events` to `stream` as it stands, without writing or doing anything.
 * @throws RefusedEventError when the state does not accept one of them.
 */
export const stageEvents = (
  { machine, movements }: LifecycleVersion,
  stream: string,
  standing: Standing,
  events: readonly DomainEvent[],
): Staged => {
  let { snapshot, revision } = standing;
  const entries: LedgerEntry[] = [];
  const actions: MachineAction[] = [];
  for (const event of events) {
    revision++;
    entries.push(...(movements?.(snapshot.context, event, eventId(stream, revision)) ?? []));
    const [next, asked] = applyEvent(machine, snapshot, event);
    snapshot = next;
    actions.push(...asked);
  }
  return { events, entries, actions, snapshot, revision };
};

/** State of a machine as plain data. */
export interface PlainState {
  readonly value: unknown;
  readonly context: unknown;
}

export const plainState = ({ value, context }: AnyMachineSnapshot): PlainState => ({ value, context });
