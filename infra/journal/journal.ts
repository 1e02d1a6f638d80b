import type { Rejection } from '../../domain/errors.ts';
import {
  aggregateOf,
  domainEventOf,
  type EventContext,
  newEvent,
  type RecordedEvent,
} from '../../domain/event.ts';
import type { LedgerEntry } from '../../domain/ledger/entry.ts';
import { balanceOf } from '../../domain/ledger/fold.ts';
import { stateName } from '../../domain/lifecycle.ts';
import { type Micro, toMicro } from '../../domain/money.ts';
import type { DecidedCommand, EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import type {
  DecidedAnswer,
  Journal,
  JournalReply,
  JournalRequest,
  StoredEvent,
} from '../../domain/ports/journal.ts';
import { foldMachine, machineVersionOf } from '../../domain/registry.ts';
import { plainState } from '../../domain/staging.ts';
import { type AppendStep, createSteps, type StepResult, type TakeTurns } from './steps.ts';

/** Events that one reply hands back at most: it becomes part of a workflow's history. */
const STORED_LIMIT = 500;

const ownAppend = ({ stream, expectedRevision, batches }: JournalRequest): StreamAppend => ({
  stream,
  expectedRevision: BigInt(expectedRevision),
  events: batches.flatMap(({ context, events }) => events.map((event) => newEvent(event, context))),
  commands: batches.flatMap(({ commandId }) => commandId ?? []),
});

const storedOf = (event: RecordedEvent): StoredEvent => {
  const { occurredAt, actor, correlationId, causationId, traceparent, revision, position } = event;
  return {
    event: domainEventOf(event),
    context: { occurredAt, actor, correlationId, causationId, traceparent },
    revision: Number(revision),
    position: String(position),
  };
};

/** Posts money that no lifecycle event causes: outside credits, stakes. */
export interface Bookkeeper {
  /** Appends `own` events (if any) and the money that follows them in one step. */
  readonly step: AppendStep;
  /** Books `entries` that come from outside, as the answer to `commandId`; again the first answer. */
  post(
    entries: readonly LedgerEntry[],
    context: EventContext,
    commandId?: string,
  ): Promise<{ readonly ok: true; readonly position: string } | Rejection>;
  /** What an account holds now, with all that this process has posted. */
  balanceOf(account: string): Promise<Micro>;
}

/** What lifecycles write through; a conflict on the writer's own stream and a refusal of the ledger are answers. */
export const createJournal = ({
  store,
  turns,
}: {
  readonly store: EventStore;
  /** Where several processes post to the ledger, they take turns at it. */
  readonly turns?: { readonly run: TakeTurns };
}): Journal & Bookkeeper => {
  const { append: step, ledger } = createSteps(store, turns?.run);

  const answerOf = (events: readonly RecordedEvent[], decided: DecidedCommand): DecidedAnswer => {
    const { commandId, position, revision } = decided;
    const [first] = events;
    if (!first) throw new Error(`the stream of ${commandId} is empty`);
    const { value } = foldMachine(aggregateOf(first.stream), events.slice(0, Number(revision) + 1));
    return {
      commandId,
      position: String(position),
      revision: String(revision),
      state: stateName(value),
    };
  };

  /** What stands in the way of `request`, with the answers to the commands that it and those events answer. */
  const conflictOf = async (request: JournalRequest, own: StreamAppend): Promise<JournalReply> => {
    const { stream, expectedRevision } = request;
    const events = await store.readStream(stream);
    const stored = events.slice(expectedRevision + 1, expectedRevision + 1 + STORED_LIMIT);
    const causes = new Set([...(own.commands ?? []), ...stored.map(({ causationId }) => causationId)]);
    const decided = await store.findCommands(stream, [...causes]);
    await keepFinal(stream, events);
    return {
      kind: 'conflict',
      stored: stored.map(storedOf),
      decided: decided.map((command) => answerOf(events, command)),
    };
  };

  /** A lifecycle that takes over the events of its own end never appends them: its final state is kept here. */
  const keepFinal = async (stream: string, events: readonly RecordedEvent[]): Promise<void> => {
    const last = events.at(-1);
    if (!last) return;
    const snapshot = foldMachine(aggregateOf(stream), events);
    if (snapshot.status !== 'done') return;
    const version = machineVersionOf(events);
    await store.saveSnapshot(stream, { revision: last.revision, version, state: plainState(snapshot) });
  };

  const replyOf = async (
    request: JournalRequest,
    own: StreamAppend,
    result: StepResult,
  ): Promise<JournalReply> => {
    if (result.ok) return { kind: 'appended', position: String(result.position) };
    if (result.reason === 'refused')
      return { kind: 'refused', batch: result.index, rejection: result.rejection };
    return conflictOf(request, own);
  };

  return {
    step,
    balanceOf: async (account) => toMicro(balanceOf(await ledger(), account)),

    async append(request) {
      const own = ownAppend(request);
      if (own.events.length === 0) return conflictOf(request, own);
      const money = request.batches.map(({ context, entries }) => ({ context, entries }));
      const reply = await replyOf(request, own, await step(own, money, request.origin));
      if (reply.kind === 'appended' && request.final) {
        const revision = own.expectedRevision + BigInt(own.events.length);
        await store.saveSnapshot(request.stream, { revision, ...request.final });
      }
      return reply;
    },

    async post(entries, context, commandId) {
      const result = await step(null, [{ context, entries, ...(commandId !== undefined && { commandId }) }]);
      if (result.ok) return { ok: true, position: String(result.position) };
      switch (result.reason) {
        case 'decided':
          return { ok: true, position: String(result.commands[0]?.position) };
        case 'refused':
          return result.rejection;
        case 'conflict':
          throw new Error(`the ledger conflicts with itself at ${result.actualRevision}`);
      }
    },
  };
};
