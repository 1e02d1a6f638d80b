import type { Decider } from '../../domain/decider.ts';
import type { Rejection } from '../../domain/errors.ts';
import {
  type DomainEvent,
  domainEventOf,
  type EventContext,
  eventId,
  newEvent,
  type RecordedEvent,
} from '../../domain/event.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import {
  type DecidedCommand,
  type EventStore,
  NO_STREAM,
  type StreamAppend,
} from '../../domain/ports/event-store.ts';
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
  readonly store: Pick<EventStore, 'readStream' | 'findCommands'>;
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

const foldedBy = <State, Event extends DomainEvent>(
  { initialState, evolve }: Pick<Decider<State, never, Event>, 'initialState' | 'evolve'>,
  events: readonly RecordedEvent[],
): State => events.reduce((state, event) => evolve(state, domainEventOf<Event>(event)), initialState);

/**
 * Serves every aggregate without a workflow: load, decide, append, and decide again when another was first. A stream that
 * has decided the command answers as it did then, whatever has happened since.
 */
export const createCommandHandler =
  ({ store, append, now }: CommandHandlerDeps): HandleCommand =>
  async (decider, stream, command, caller) => {
    const { actor, commandId, traceparent = null } = caller;

    const earlier = async ({ revision, position }: DecidedCommand) => {
      const events = await store.readStream(stream, { to: revision });
      return { ok: true as const, state: foldedBy(decider, events), revision, position };
    };

    for (;;) {
      const stored = await store.readStream(stream);
      if (stored.some(({ causationId }) => causationId === commandId)) {
        const [decided] = await store.findCommands(stream, [commandId]);
        if (decided) return earlier(decided);
      }
      const before = foldedBy(decider, stored);
      const revision = stored.at(-1)?.revision ?? NO_STREAM;
      const at = now();
      const decision = decider.decide(before, command, { now: at, actor });
      if (!decision.ok) return decision;
      if (decision.events.length === 0) return { ok: true, state: before, revision, position: null };

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
