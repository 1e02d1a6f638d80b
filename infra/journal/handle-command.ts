import type { Decider } from '../../domain/decider.ts';
import type { Rejection } from '../../domain/errors.ts';
import { type DomainEvent, type EventContext, eventId, newEvent } from '../../domain/event.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import type { DecidedCommand, EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import { type FoldSource, foldsOf } from '../event-store/folds.ts';
import type { Money } from '../ledger/ledger.ts';
import type { StepResult } from './steps.ts';

/**
 * Who asks and why. The same `commandId` has one effect on a stream, and one answer: the id is the command. Whoever sends
 * another command under it gets the answer of the first; what a command came to is in the log, what it asked for is not.
 * Over HTTP, another body under one Idempotency-Key is refused before it gets here (api/idempotency.ts).
 */
export interface CommandCaller {
  readonly actor: string;
  readonly commandId: string;
  readonly traceparent?: string | null;
}

export interface Handled<State> {
  readonly ok: true;
  /** State after the command, at the first time it was decided. */
  readonly state: State;
  /** Revision of the stream at that state; -1 for an empty one. */
  readonly revision: bigint;
  /** Of the last event of its step; null when nothing had to change. */
  readonly position: bigint | null;
}

export interface CommandHandlerDeps {
  readonly store: FoldSource & Pick<EventStore, 'findCommands'>;
  /** Writes events with the money that follows them, in one atomic step. */
  readonly append: (own: StreamAppend, money: readonly Money[]) => Promise<StepResult>;
  /** RFC 3339 instant. */
  readonly now: () => string;
}

export type HandleCommand = <State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  stream: string,
  command: Command,
  caller: CommandCaller,
) => Promise<Handled<State> | Rejection>;

/**
 * Serves every aggregate without a workflow: load, decide, append, and decide again when another was first. A stream that
 * has decided the command answers as it did then, whatever has happened since.
 */
export const createCommandHandler =
  ({ store, append, now }: CommandHandlerDeps): HandleCommand =>
  async (decider, stream, command, caller) => {
    const { actor, commandId, traceparent = null } = caller;
    const folds = foldsOf(store);

    const earlier = async ({ revision, position }: DecidedCommand) => {
      const state = await folds.at(decider, stream, revision);
      return { ok: true as const, state, revision, position };
    };

    for (;;) {
      const { state: before, revision } = await folds.latest(decider, stream);
      const at = now();
      const decision = decider.decide(before, command, { now: at, actor });
      // What writes nothing may repeat a command that did; of what writes, the append says so.
      if (!decision.ok || decision.events.length === 0) {
        const [decided] = await store.findCommands(stream, [commandId]);
        if (decided) return earlier(decided);
        return decision.ok ? { ok: true, state: before, revision, position: null } : decision;
      }

      const entries: LedgerEntry[] = [];
      let state = before;
      for (const [index, event] of decision.events.entries()) {
        const id = eventId(stream, revision + BigInt(index) + 1n);
        entries.push(...(decider.movements?.(state, event, id) ?? []));
        state = decider.evolve(state, event);
      }
      const context: EventContext = {
        occurredAt: at,
        actor,
        correlationId: stream,
        causationId: commandId,
        traceparent,
      };
      const own = {
        stream,
        expectedRevision: revision,
        events: decision.events.map((event) => newEvent(event, context)),
        commands: [commandId],
      };
      const result = await append(own, [{ context, entries }]);
      if (result.ok) {
        const after = revision + BigInt(decision.events.length);
        return { ok: true, state, revision: after, position: result.position };
      }
      if (result.reason === 'refused') return result.rejection;
      if (result.reason === 'decided') return earlier(result.commands[0] as DecidedCommand);
    }
  };
