import type { Rejection } from '../../domain/errors.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { ProviderCommand } from '../../domain/provider/decide.ts';
import { providerDecider } from '../../domain/provider/decider.ts';
import { type Provider, type ProviderState, providerFold } from '../../domain/provider/fold.ts';
import { foldsOf } from '../event-store/folds.ts';
import { type CommandCaller, createCommandHandler } from '../journal/handle-command.ts';
import type { Bookkeeper } from '../journal/journal.ts';

export interface ProvidersDeps {
  readonly store: EventStore;
  readonly books: Pick<Bookkeeper, 'step'>;
  readonly now: () => string;
}

export type ProviderOutcome =
  | { readonly ok: true; readonly position: string | null; readonly provider: Provider }
  | Rejection;

/** Providers have neither timers nor effects: a fold and a decision. */
export const createProviders = ({ store, books, now }: ProvidersDeps) => {
  const handle = createCommandHandler({ store, append: books.step, now });

  const folds = foldsOf(store);

  return {
    /** Those of `providerIds` that are registered. */
    findAll: async (providerIds: readonly string[]): Promise<readonly Provider[]> =>
      [...(await folds.latestOf(providerFold, providerIds)).values()].flatMap(({ state }) => state ?? []),

    find: async (providerId: string): Promise<ProviderState> =>
      (await folds.latest(providerFold, providerId)).state,

    /** Executes `command` on the provider; a command that changes nothing answers with `position: null`. */
    async execute(
      providerId: string,
      command: ProviderCommand,
      caller: CommandCaller,
    ): Promise<ProviderOutcome> {
      const handled = await handle(providerDecider, providerId, command, caller);
      if (!handled.ok) return handled;
      const { state, position } = handled;
      if (!state) throw new Error(`${providerId} was commanded and does not exist`);
      return { ok: true, position: position === null ? null : String(position), provider: state };
    },
  };
};

export type Providers = ReturnType<typeof createProviders>;
