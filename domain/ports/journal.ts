import type { Rejection } from '../errors.ts';
import type { DomainEvent, EventContext, Origin } from '../event.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { PlainState } from '../staging.ts';

/** The events of one cause (a command, an effect, a deadline), with the money that follows them. */
export interface JournalBatch {
  readonly context: EventContext;
  readonly events: readonly DomainEvent[];
  readonly entries: readonly LedgerEntry[];
}

/** What a lifecycle writes in one atomic step: its own events and the ledger's. */
export interface JournalRequest {
  readonly stream: string;
  /** Revision before the first event; -1 for a new stream. */
  readonly expectedRevision: number;
  readonly batches: readonly JournalBatch[];
  readonly origin: Origin;
  /** Kept beside the stream when the lifecycle ends with these events. */
  readonly final?: { readonly version: number; readonly state: PlainState };
}

/** A local effect that the appended events ask for: it runs right behind them, and its own events are appended, too. */
export interface FollowingEffect {
  /** `<aggregate>.<effect>` */
  readonly name: string;
  readonly input: unknown;
  /** Machine version of the stream, and its state after the request's events. */
  readonly version: number;
  readonly state: PlainState;
  /** Of the events it answers with. */
  readonly context: EventContext;
}

export type JournalReply =
  /** All of it is in the log; `position` is that of the step's last event (decimal). */
  | { readonly kind: 'appended'; readonly position: string }
  /** The ledger refused the money of this batch; nothing was written. */
  | { readonly kind: 'refused'; readonly batch: number; readonly rejection: Rejection }
  /** Others wrote here first: the events that stand after `expectedRevision`. */
  | { readonly kind: 'conflict'; readonly events: readonly DomainEvent[] };

/** What a lifecycle's step came to, and the events that stand behind it when an effect followed. */
export type StepReply = JournalReply & { readonly followed?: readonly DomainEvent[] };

export interface Journal {
  append(request: JournalRequest): Promise<JournalReply>;
}
