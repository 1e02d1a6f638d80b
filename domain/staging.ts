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

/** An effect that a machine asks for: an activity, or children to start. */
export interface AskedEffect {
  readonly id: string;
  readonly src: string;
  readonly input: unknown;
}

/** The effects that run after `actions`: those started and not stopped again. */
export const startedBy = (actions: readonly MachineAction[]): AskedEffect[] => {
  const started = new Map<string, AskedEffect>();
  for (const { type, params } of actions) {
    // XState names no actor to stop in a state that was read from plain data.
    if (params === undefined) continue;
    const { id, src, input } = params as AskedEffect;
    if (type === 'xstate.spawnChild') started.set(id, { id, src, input });
    if (type === 'xstate.stopChild') started.delete(id);
  }
  return [...started.values()];
};

/** State of a machine as plain data. */
export interface PlainState {
  readonly value: unknown;
  readonly context: unknown;
}

export const plainState = ({ value, context }: AnyMachineSnapshot): PlainState => ({ value, context });
