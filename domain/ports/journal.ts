import type { Rejection } from '../errors.ts';
import type { DomainEvent, EventContext, Origin } from '../event.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import type { AskedEffect, PlainState } from '../staging.ts';

/** The events of one cause (a command, an effect, a deadline), with the money that follows them. */
export interface JournalBatch {
  readonly context: EventContext;
  readonly events: readonly DomainEvent[];
  readonly entries: readonly LedgerEntry[];
  /** The command that these events answer, which the stream then knows; absent where the engine itself is the cause. */
  readonly commandId?: string;
}

/**
 * What a step asks for beside its events: a timer and its delay, an effect and its input, a child and its command, what
 * the parent is told; or the end of one of them.
 */
export type Ask = readonly [kind: string, ...details: unknown[]];

/** What a lifecycle writes in one atomic step: its own events and the ledger's. Without batches it asks what stands. */
export interface JournalRequest {
  readonly stream: string;
  /** Revision before the first event; -1 for a new stream. */
  readonly expectedRevision: number;
  readonly batches: readonly JournalBatch[];
  readonly origin: Origin;
  /** What the step asks for beside its events; absent when that is nothing. */
  readonly asks?: readonly Ask[];
  /** Kept beside the stream when the lifecycle ends with these events. */
  readonly final?: { readonly version: number; readonly state: PlainState };
}

/** An effect that the appended events ask for: it runs right behind them, and its own events are appended, too. */
export interface FollowingEffect {
  readonly effect: AskedEffect;
  /** Effects, by `src`, that may follow this one in their turn; absent where the reply is to be that of host version 2. */
  readonly prompt?: readonly string[];
  /** Machine version of the stream, and its state after the request's events. */
  readonly version: number;
  readonly state: PlainState;
  /** Of the events it answers with. */
  readonly context: EventContext;
}

/** What an effect that ran behind a step answered: events, which are in the log, or none. */
export interface FollowedStep {
  /** Id of the effect. */
  readonly effect: string;
  readonly events: readonly DomainEvent[];
  readonly context: EventContext;
}

/** An event of the log as a lifecycle takes it over: what happened, where it stands, and what caused it. */
export interface StoredEvent {
  readonly event: DomainEvent;
  readonly context: EventContext;
  readonly revision: number;
  /** Decimal. */
  readonly position: string;
}

/** The first and only answer to a command that the stream has decided. */
export interface DecidedAnswer {
  readonly commandId: string;
  /** Of the last event of its step (decimal). */
  readonly position: string;
  /** Of the last event it caused (decimal). */
  readonly revision: string;
  /** State after it. */
  readonly state: string;
}

export type JournalReply =
  /** All of it is in the log; `position` is that of the step's last event (decimal). */
  | { readonly kind: 'appended'; readonly position: string }
  /** The ledger refused the money of this batch; nothing was written. */
  | { readonly kind: 'refused'; readonly batch: number; readonly rejection: Rejection }
  /**
   * Nothing was written: others wrote here first, or a command was decided before. `stored` are the events that stand
   * after `expectedRevision` (when there are very many, the first of them), `decided` the answers to the commands of the
   * request, and of these events, that the stream knows.
   */
  | {
      readonly kind: 'conflict';
      readonly stored: readonly StoredEvent[];
      readonly decided: readonly DecidedAnswer[];
    };

/** What came of all that a step leads to. */
export interface Aftermath {
  /** What followed it, in order. */
  readonly behind?: readonly FollowedStep[];
  /** What was to be said to others could not be said yet. */
  readonly unsent?: true;
  /** Of all that was appended and of what the step asks for (domain/fingerprint.ts); absent in replies of old. */
  readonly fingerprint?: string;
}

/** What a lifecycle's step came to. */
export type StepReply = JournalReply &
  Aftermath & {
    /** The events that stand behind it when an effect followed, as host version 2 is told. */
    readonly followed?: readonly DomainEvent[];
  };

export interface Journal {
  append(request: JournalRequest): Promise<JournalReply>;
}
