import type { Auction } from '../../../domain/auction/machine.ts';
import { reject } from '../../../domain/errors.ts';
import { stateName } from '../../../domain/lifecycle.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import type { Lifecycles } from '../../../domain/ports/lifecycles.ts';
import type { Sealing } from '../../../domain/ports/sealing.ts';
import { admits } from '../../../domain/provider/opinion.ts';
import { foldStream } from '../../../domain/registry.ts';
import { isBefore } from '../../../domain/time.ts';
import { type BidDesk, createBidDesk } from '../../bidding/bid-desk.ts';
import type { Providers } from '../../providers/providers.ts';

export interface HttpBidDeskDeps {
  readonly lifecycles: Lifecycles;
  readonly sealing: Sealing;
  readonly store: EventStore;
  readonly providers: Providers;
  /** Provider ids of an owner. */
  readonly providersOf: (owner: string) => Promise<readonly string[]>;
  readonly now: () => string;
}

/** The bid desk for owners that bid over HTTP: the token names the owner, and the provider is the owner's only one. */
export const createHttpBidDesk = (deps: HttpBidDeskDeps): BidDesk => {
  const { lifecycles, sealing, store, providers, providersOf, now } = deps;
  return createBidDesk({
    lifecycles,
    sealing,
    auctionView: async (auctionId) => {
      const events = await store.readStream(auctionId);
      if (events.length === 0) return null;
      const { value, context } = foldStream(auctionId, events);
      const { submitter, ceiling, requiredTops, closesAt } = context as Auction;
      return { submitter, ceiling, requiredTops, closesAt, state: stateName(value) };
    },
    providerView: async (ref) => {
      const ids = 'providerId' in ref ? [ref.providerId] : await providersOf(ref.owner);
      const [id] = ids;
      const provider = ids.length === 1 && id !== undefined ? await providers.find(id) : null;
      if (!provider) return null;
      const { attestation } = provider;
      return { ...provider, listed: attestation !== null && isBefore(now(), attestation.expiresAt) };
    },
    admits: ({ evidence }) => {
      const { admitted, reason } = admits(evidence, now());
      return admitted ? null : reject('AUTHORIZATION_FAILED', reason ?? 'the trust gate refuses it');
    },
  });
};
