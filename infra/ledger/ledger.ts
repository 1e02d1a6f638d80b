import type { Rejection } from '../../domain/errors.ts';
import { domainEventOf, type EventContext, type NewEvent, newEvent } from '../../domain/event.ts';
import { decideEntry } from '../../domain/ledger/decide.ts';
import { isEmpty, type LedgerEntry } from '../../domain/ledger/entry.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import {
  emptyLedger,
  excerptOf,
  foldLedger,
  type Ledger,
  type MutableLedger,
  postTo,
} from '../../domain/ledger/fold.ts';
import { type AppendResult, type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';

/** Events between two snapshots of the ledger. */
const SNAPSHOT_EVERY = 500n;
const SNAPSHOT_VERSION = 1;

export interface LedgerState {
  readonly ledger: Ledger;
  readonly revision: bigint;
  /** The event that `revision` is believed to be, where nobody has read it yet. */
  readonly previous?: NewEvent;
}

/** The entries of one cause. */
export interface Money {
  readonly context: EventContext;
  readonly entries: readonly LedgerEntry[];
  /** The command that the ledger itself answers; absent where the money follows an event. */
  readonly commandId?: string;
}

interface DecidedMoney {
  readonly posted: readonly LedgerEvent[];
  readonly events: readonly NewEvent[];
}

export type MoneyDecision =
  | ({ readonly ok: true } & DecidedMoney)
  | { readonly ok: false; readonly index: number; readonly rejection: Rejection };

/**
 * Decides `money` in order on `ledger`, all or nothing; a refusal names the index of the item that was refused.
 * `events` are what was `posted`, ready to be appended.
 */
export const decideMoney = (ledger: Ledger, money: readonly Money[]): MoneyDecision => {
  const all = money.flatMap(({ entries }) => entries);
  const current = excerptOf(
    ledger,
    all.flatMap(({ postings }) => postings.map((posting) => posting.account)),
    all.map(({ entryId }) => entryId),
  );
  const posted: LedgerEvent[] = [];
  const events: NewEvent[] = [];
  for (const [index, { context, entries, commandId }] of money.entries()) {
    for (const entry of entries) {
      if (isEmpty(entry)) continue;
      const decision = decideEntry(current, entry);
      if (!decision.ok) return { ok: false, index, rejection: decision };
      for (const event of decision.events) {
        postTo(current, event);
        posted.push(event);
        events.push(newEvent(event, { ...context, causationId: commandId ?? entry.cause }));
      }
    }
  }
  return { ok: true, posted, events };
};

/** The ledger as its newest snapshot has it: empty before the first, and where that is of another fold. */
export const ledgerSnapshot = async (store: Pick<EventStore, 'loadSnapshot'>): Promise<LedgerState> => {
  const snapshot = await store.loadSnapshot(LEDGER_STREAM);
  if (snapshot?.version !== SNAPSHOT_VERSION) return { ledger: emptyLedger, revision: NO_STREAM };
  return { ledger: snapshot.state as Ledger, revision: snapshot.revision };
};

/** A state whose ledger nobody else holds. */
interface OwnLedgerState extends LedgerState {
  readonly ledger: MutableLedger;
}

/** The ledger as the store holds it now, read on from an earlier state; the caller owns it. */
export const followLedger = async (
  store: Pick<EventStore, 'readStream'>,
  from: LedgerState,
): Promise<OwnLedgerState> => {
  const events = await store.readStream(LEDGER_STREAM, { from: from.revision + 1n });
  return {
    ledger: foldLedger(
      from.ledger,
      events.map((event) => domainEventOf<LedgerEvent>(event)),
    ),
    revision: events.at(-1)?.revision ?? from.revision,
  };
};

/**
 * What this process believes the ledger to be: its own appends are counted before they are confirmed, so that several
 * can be under way at once. The store is the truth; a belief that met a conflict is forgotten and read again.
 */
export const createLedgerBelief = (store: EventStore) => {
  let belief: OwnLedgerState | null = null;
  let loading: Promise<void> | null = null;
  let snapshotAt = NO_STREAM;
  const underWay = new Set<Promise<unknown>>();

  const save = ({ ledger, revision }: LedgerState): Promise<void> =>
    store.saveSnapshot(LEDGER_STREAM, { revision, version: SNAPSHOT_VERSION, state: ledger });

  const read = async (): Promise<void> => {
    await Promise.allSettled(underWay);
    const kept = await ledgerSnapshot(store);
    snapshotAt = kept.revision;
    const state = await followLedger(store, kept);
    if (state.revision - snapshotAt >= SNAPSHOT_EVERY) {
      await save(state);
      snapshotAt = state.revision;
    }
    belief = state;
  };

  /** Saves `state` once `append`, which leads to it, is in the log. */
  const saveAfter = async (append: Promise<AppendResult>, state: LedgerState): Promise<void> => {
    snapshotAt = state.revision;
    try {
      if ((await append).ok) await save(state);
    } catch {
      // The next reading finds that the snapshot is behind, and saves one.
      belief = null;
    }
  };

  return {
    /** The believed state, until it moves on; read from the store when there is none. */
    async state(): Promise<LedgerState> {
      while (!belief) {
        loading ??= read().finally(() => {
          loading = null;
        });
        await loading;
      }
      return belief;
    },
    /** Takes in what other processes have posted since. */
    async catchUp(): Promise<void> {
      await Promise.allSettled(underWay);
      const before = belief;
      if (!before) return;
      const state = await followLedger(store, before);
      // Moved on meanwhile, it counts what was read a second time.
      if (belief === before) belief = state;
    },
    /** True while nobody has moved the belief on: what was decided on `state` may be appended. */
    stands: (state: LedgerState): boolean => belief === state,
    /** Counts what was decided, which `append` is about to write. Only while the state it was decided on stands. */
    advance({ posted, events }: DecidedMoney, append: Promise<AppendResult>): void {
      const previous = events.at(-1);
      if (!belief || !previous) throw new Error('there is no belief to advance, or nothing to advance it by');
      const { ledger } = belief;
      for (const event of posted) postTo(ledger, event);
      const revision = belief.revision + BigInt(posted.length);
      belief = { ledger, revision, previous };
      if (revision - snapshotAt >= SNAPSHOT_EVERY) {
        void saveAfter(append, { ledger: foldLedger(ledger, []), revision });
      }
      underWay.add(append);
      void append.catch(() => undefined).finally(() => underWay.delete(append));
    },
    forget(): void {
      belief = null;
    },
  };
};
