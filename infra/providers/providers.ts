import type { Rejection } from '../../domain/errors.ts';
import { domainEventOf, type EventContext, newEvent, type RecordedEvent } from '../../domain/event.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { decideProvider, type ProviderCommand } from '../../domain/provider/decide.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import {
  evolveProvider,
  type Provider,
  type ProviderState,
  unknownProvider,
} from '../../domain/provider/fold.ts';
import type { Bookkeeper } from '../journal/journal.ts';

export interface ProvidersDeps {
  readonly store: EventStore;
  readonly books: Bookkeeper;
  readonly now: () => string;
}

/** Who asks and why; `commandId` becomes the cause of the events. */
export interface ProviderCaller {
  readonly actor: string;
  readonly commandId: string;
  readonly traceparent?: string | null;
}

export type ProviderOutcome =
  | { readonly ok: true; readonly position: string | null; readonly provider: Provider }
  | Rejection;

/** Providers have neither timers nor effects: load, decide, append, and decide again when another was first. */
export const createProviders = ({ store, books, now }: ProvidersDeps) => {
  const fold = (events: readonly RecordedEvent[]): ProviderState =>
    events.reduce<ProviderState>(
      (provider, event) => evolveProvider(provider, domainEventOf<ProviderEvent>(event)),
      unknownProvider,
    );

  const load = async (
    providerId: string,
  ): Promise<{ readonly state: ProviderState; readonly revision: bigint }> => {
    const events = await store.readStream(providerId);
    const state = fold(events);
    return { state, revision: events.at(-1)?.revision ?? NO_STREAM };
  };

  /** The stake leaves the owner's account in the same step in which it is locked. */
  const moneyOf = (provider: Provider, events: readonly ProviderEvent[], revision: bigint) =>
    events.flatMap((event, index) =>
      event.type === 'provider.stake-locked'
        ? [
            transfer(
              'stake',
              account.available(provider.owner),
              account.stake(provider.providerId),
              event.amount,
              `${provider.providerId}@${revision + BigInt(index) + 1n}`,
            ),
          ]
        : [],
    );

  return {
    /** Those of `providerIds` that are registered. */
    findAll: async (providerIds: readonly string[]): Promise<readonly Provider[]> =>
      [...(await store.readStreams(providerIds)).values()].flatMap((events) => fold(events) ?? []),

    find: async (providerId: string): Promise<ProviderState> => (await load(providerId)).state,

    /** Executes `command` on the provider; a command that changes nothing answers with `position: null`. */
    async execute(
      providerId: string,
      command: ProviderCommand,
      caller: ProviderCaller,
    ): Promise<ProviderOutcome> {
      for (;;) {
        const { state, revision } = await load(providerId);
        const at = now();
        const decision = decideProvider(state, command, { now: at, actor: caller.actor });
        if (!decision.ok) return decision;
        if (decision.events.length === 0) return { ok: true, position: null, provider: state as Provider };
        const provider = decision.events.reduce<ProviderState>(evolveProvider, state) as Provider;
        const context: EventContext = {
          occurredAt: at,
          actor: caller.actor,
          correlationId: providerId,
          causationId: caller.commandId,
          traceparent: caller.traceparent ?? null,
        };
        const own = {
          stream: providerId,
          expectedRevision: revision,
          events: decision.events.map((event) => newEvent(event, context)),
        };
        const result = await books.post(moneyOf(provider, decision.events, revision), context, own);
        if (result.ok) return { ok: true, position: result.position, provider };
        if (result.code !== 'CONFLICT') return result;
      }
    },
  };
};

export type Providers = ReturnType<typeof createProviders>;
