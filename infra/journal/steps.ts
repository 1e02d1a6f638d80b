import type { Rejection } from '../../domain/errors.ts';
import type { NewEvent, Origin, RecordedEvent } from '../../domain/event.ts';
import { canonicalJson } from '../../domain/json.ts';
import { isEmpty } from '../../domain/ledger/entry.ts';
import { LEDGER_STREAM } from '../../domain/ledger/events.ts';
import type { Ledger } from '../../domain/ledger/fold.ts';
import type { AppendResult, EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import { createLedgerBelief, decideMoney, type Money } from '../ledger/ledger.ts';

/** What a step came to. Conflicts are those of its own stream, not of the ledger's. */
export type StepResult =
  | AppendResult
  /** The ledger refused the money at this index; nothing was written. */
  | {
      readonly ok: false;
      readonly reason: 'refused';
      readonly index: number;
      readonly rejection: Rejection;
    };

/** Same place, same cause, same content: our own earlier attempt, whose answer was lost. */
const isSame = (stored: RecordedEvent | undefined, sent: NewEvent): boolean =>
  stored !== undefined &&
  stored.type === sent.type &&
  stored.occurredAt === sent.occurredAt &&
  stored.causationId === sent.causationId &&
  canonicalJson(stored.data) === canonicalJson(sent.data);

/** Ledger events of one step. They stand right behind its own events, for a step is never torn apart. */
const postings = (money: readonly Money[]): bigint =>
  BigInt(money.reduce((count, { entries }) => count + entries.filter((entry) => !isEmpty(entry)).length, 0));

/** Commands that the ledger decides by itself. */
const ledgerCommands = (money: readonly Money[]): string[] =>
  money.flatMap(({ commandId, entries }) =>
    commandId !== undefined && entries.some((entry) => !isEmpty(entry)) ? [commandId] : [],
  );

/**
 * Writes events of one stream (if any) together with the money that follows them, in one atomic step (settled 9). Ledger
 * conflicts are retried here.
 */
export type AppendStep = (
  own: StreamAppend | null,
  money: readonly Money[],
  origin?: Origin,
) => Promise<StepResult>;

export interface Steps {
  readonly append: AppendStep;
  /** The ledger as this process believes it to be, its own postings included. */
  readonly ledger: () => Promise<Ledger>;
}

/** After another process was in the way, this one takes turns for so long, ms. */
const CONTENDED_MS = 10_000;

/** Whoever may be in the way at the ledger takes turns; without it, steps are tried until nobody is. */
export type TakeTurns = <T>(work: (turn: number) => Promise<T>) => Promise<T>;

export const createSteps = (store: EventStore, takeTurns?: TakeTurns): Steps => {
  const ledger = createLedgerBelief(store);
  let contendedUntil = -Infinity;
  let caughtUp: { readonly turn: number; readonly done: Promise<void> } | null = null;

  /** Others have posted in their turns: the first try of ours begins with what they left. */
  const inTurn = <T>(takeTurn: TakeTurns, work: () => Promise<T>): Promise<T> =>
    takeTurn(async (turn) => {
      if (caughtUp?.turn !== turn) caughtUp = { turn, done: ledger.catchUp() };
      await caughtUp.done;
      return work();
    });

  /** The commands of a step that were decided before: by its own stream, or by the ledger where it has none. */
  const decidedOf = async (
    own: StreamAppend | null,
    money: readonly Money[],
  ): Promise<Extract<StepResult, { reason: 'decided' }> | null> => {
    const stream = own?.stream ?? LEDGER_STREAM;
    const ids = own ? (own.commands ?? []) : ledgerCommands(money);
    const commands = ids.length > 0 ? await store.findCommands(stream, ids) : [];
    return commands.length > 0 ? { ok: false, reason: 'decided', stream, commands } : null;
  };

  /** What a step meets that was refused: itself, another decision of its commands, or others that were first. */
  const standing = async (own: StreamAppend | null, money: readonly Money[]): Promise<StepResult | null> => {
    if (!own) return decidedOf(own, money);
    const { stream, expectedRevision } = own;
    const stored = await store.readStream(stream, { from: expectedRevision + 1n });
    if (stored.length > 0 && own.events.every((event, index) => isSame(stored[index], event))) {
      const { position } = stored[own.events.length - 1] as RecordedEvent;
      return { ok: true, position: position + postings(money), replayed: true };
    }
    const decided = await decidedOf(own, money);
    const last = stored.at(-1);
    if (decided || !last) return decided;
    return { ok: false, reason: 'conflict', stream, expectedRevision, actualRevision: last.revision };
  };

  /** One try; null when another process posted in between and the money has to be decided again. */
  const tryWithMoney = async (
    own: StreamAppend | null,
    money: readonly Money[],
    origin: Origin | undefined,
  ): Promise<StepResult | null> => {
    const state = await ledger.state();
    // A belief moves on in place: decided on one that others have moved meanwhile, a refusal would be theirs.
    if (!ledger.stands(state)) return null;
    const decided = decideMoney(state.ledger, money);
    if (!decided.ok) {
      // The belief may be behind, or ahead by what then failed: only what stands in the log refuses.
      ledger.forget();
      const fresh = await ledger.state();
      if (!ledger.stands(fresh)) return null;
      const again = decideMoney(fresh.ledger, money);
      if (again.ok) return null;
      // This may be a repetition whose money moved at the first attempt.
      const { index, rejection } = again;
      return (await standing(own, money)) ?? { ok: false, reason: 'refused', index, rejection };
    }
    const posted: StreamAppend = {
      stream: LEDGER_STREAM,
      expectedRevision: state.revision,
      // Decided behind an append that may yet fail: then nothing else may take its place.
      ...(state.previous && { previous: state.previous }),
      events: decided.events,
      commands: ledgerCommands(money),
    };
    const appends = [
      ...(own && own.events.length > 0 ? [own] : []),
      ...(posted.events.length > 0 ? [posted] : []),
    ];
    const appending = store.appendMany(appends, origin);
    if (decided.posted.length > 0) ledger.advance(decided, appending);
    try {
      const result = await appending;
      if (result.ok) return result;
      ledger.forget();
      if (result.reason === 'conflict' && result.stream === LEDGER_STREAM) {
        contendedUntil = performance.now() + CONTENDED_MS;
        return null;
      }
      // Where the ledger has moved on meanwhile, a repetition looks like a conflict of its own stream.
      return (await standing(own, money)) ?? result;
    } catch (error) {
      ledger.forget();
      throw error;
    }
  };

  const append: AppendStep = async (own, money, origin) => {
    if (own && money.every(({ entries }) => entries.every(isEmpty))) {
      const result = await store.append(own, origin);
      return result.ok ? result : ((await standing(own, money)) ?? result);
    }
    for (;;) {
      const once = () => tryWithMoney(own, money, origin);
      const isContended = performance.now() < contendedUntil;
      const result = isContended && takeTurns ? await inTurn(takeTurns, once) : await once();
      if (result) return result;
    }
  };

  return { append, ledger: async () => (await ledger.state()).ledger };
};
