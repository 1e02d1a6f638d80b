import type { Rejection } from '../../domain/errors.ts';
import {
  domainEventOf,
  type EventContext,
  type NewEvent,
  newEvent,
  type RecordedEvent,
} from '../../domain/event.ts';
import { canonicalJson } from '../../domain/json.ts';
import { isEmpty, type LedgerEntry } from '../../domain/ledger/entry.ts';
import { LEDGER_STREAM } from '../../domain/ledger/events.ts';
import type { EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import type { Journal, JournalReply, JournalRequest } from '../../domain/ports/journal.ts';
import { createLedgerBelief, decideMoney, type Money } from '../ledger/ledger.ts';

const ownAppend = (request: JournalRequest): StreamAppend => ({
  stream: request.stream,
  expectedRevision: BigInt(request.expectedRevision),
  events: request.batches.flatMap(({ context, events }) => events.map((event) => newEvent(event, context))),
});

/** Same place, same cause, same content: our own earlier attempt, whose answer was lost. */
const isSame = (stored: RecordedEvent | undefined, sent: NewEvent): boolean =>
  stored !== undefined &&
  stored.type === sent.type &&
  stored.occurredAt === sent.occurredAt &&
  stored.causationId === sent.causationId &&
  canonicalJson(stored.data) === canonicalJson(sent.data);

/** Ledger events of one step. They stand right behind its own events, for a step is never torn apart. */
const postings = (money: readonly Money[]): number =>
  money.reduce((count, { entries }) => count + entries.filter((entry) => !isEmpty(entry)).length, 0);

type Written = Exclude<JournalReply, { kind: 'refused' }>;

/** Posts money that no lifecycle event causes: outside credits, stakes. */
export interface Bookkeeper {
  /** Appends `own` events (if any) and `entries` in one step; a refusal of the ledger is a value. */
  post(
    entries: readonly LedgerEntry[],
    context: EventContext,
    own?: StreamAppend,
  ): Promise<{ readonly ok: true; readonly position: string } | Rejection>;
}

/**
 * Writes events together with the money that follows them, in one atomic step (settled 9). Ledger conflicts are retried
 * here; a conflict on the writer's own stream and a refusal of the ledger are answers.
 */
export const createJournal = ({ store }: { readonly store: EventStore }): Journal & Bookkeeper => {
  const ledger = createLedgerBelief(store);

  /** What stands where `own` was to be written: those very events, others, or nothing. */
  const standing = async (own: StreamAppend, money: readonly Money[]): Promise<Written | null> => {
    const stored = await store.readStream(own.stream, { from: own.expectedRevision + 1n });
    if (stored.length === 0) return null;
    if (own.events.every((event, index) => isSame(stored[index], event))) {
      const { position } = stored[own.events.length - 1] as RecordedEvent;
      return { kind: 'appended', position: String(position + BigInt(postings(money))) };
    }
    return { kind: 'conflict', events: stored.map((event) => domainEventOf(event)) };
  };

  const writtenBy = async (own: StreamAppend, money: readonly Money[]): Promise<Written> => {
    const reply = await standing(own, money);
    if (!reply) throw new Error(`${own.stream} is shorter than revision ${own.expectedRevision}`);
    return reply;
  };

  const appendOwn = async (own: StreamAppend, origin: JournalRequest['origin']): Promise<JournalReply> => {
    const result = await store.append(own, origin);
    return result.ok ? { kind: 'appended', position: String(result.position) } : writtenBy(own, []);
  };

  /** One try; null when another process posted in between and the money has to be decided again. */
  const tryWithMoney = async (
    own: StreamAppend | null,
    money: readonly Money[],
    origin: JournalRequest['origin'] | undefined,
  ): Promise<JournalReply | null> => {
    const state = await ledger.state();
    const decided = decideMoney(state.ledger, money);
    if (!decided.ok) {
      // The belief may be behind, or this is a repetition whose money moved at the first attempt: look before refusing.
      const before = own && (await standing(own, money));
      if (before) return before;
      ledger.forget();
      const fresh = await ledger.state();
      if (fresh.revision !== state.revision) return null;
      return { kind: 'refused', batch: decided.index, rejection: decided.rejection };
    }
    if (!ledger.stands(state)) return null;
    const posted = { stream: LEDGER_STREAM, expectedRevision: state.revision, events: decided.events };
    const appends = [
      ...(own && own.events.length > 0 ? [own] : []),
      ...(posted.events.length > 0 ? [posted] : []),
    ];
    const appending = store.appendMany(appends, origin);
    if (decided.posted.length > 0) ledger.advance(decided.posted, appending);
    try {
      const result = await appending;
      if (result.ok) return { kind: 'appended', position: String(result.position) };
      ledger.forget();
      return own && result.stream === own.stream ? await writtenBy(own, money) : null;
    } catch (error) {
      ledger.forget();
      throw error;
    }
  };

  const withMoney = async (...attempt: Parameters<typeof tryWithMoney>): Promise<JournalReply> => {
    for (;;) {
      const reply = await tryWithMoney(...attempt);
      if (reply) return reply;
    }
  };

  return {
    async append(request) {
      const own = ownAppend(request);
      const movesMoney = request.batches.some((batch) => batch.entries.length > 0);
      const reply = movesMoney
        ? await withMoney(own, request.batches, request.origin)
        : await appendOwn(own, request.origin);
      if (reply.kind === 'appended' && request.final) {
        const revision = BigInt(request.expectedRevision + own.events.length);
        await store.saveSnapshot(request.stream, { revision, ...request.final });
      }
      return reply;
    },

    async post(entries, context, own) {
      const reply = await withMoney(own ?? null, [{ context, entries }], undefined);
      switch (reply.kind) {
        case 'appended':
          return { ok: true, position: reply.position };
        case 'refused':
          return reply.rejection;
        case 'conflict':
          return { ok: false, code: 'CONFLICT', message: `${own?.stream} has moved on` };
      }
    },
  };
};
