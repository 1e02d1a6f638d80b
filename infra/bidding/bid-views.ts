import type { Auction } from '../../domain/auction/auction.ts';
import { reject } from '../../domain/errors.ts';
import { stateName } from '../../domain/lifecycle.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { admits } from '../../domain/provider/opinion.ts';
import { bondedStake } from '../../domain/provider/stake.ts';
import { foldStream } from '../../domain/registry.ts';
import { isBefore } from '../../domain/time.ts';
import type { Providers } from '../providers/providers.ts';
import type { BidDeskDeps, Bidder } from './bid-desk.ts';

export interface BidViewDeps {
  readonly store: EventStore;
  readonly providers: Providers;
  /** Provider ids of an owner: who bids by its token alone has exactly one. */
  readonly providersOf: (owner: string) => Promise<readonly string[]>;
  readonly now: () => string;
}

/** What the bid desk looks at, read from the log: a read model may lag behind the announcement it answers. */
export const createBidViews = ({
  store,
  providers,
  providersOf,
  now,
}: BidViewDeps): Pick<BidDeskDeps<Bidder & Provider>, 'auctionView' | 'providerView' | 'admits'> => ({
  async auctionView(auctionId) {
    const events = await store.readStream(auctionId);
    if (events.length === 0) return null;
    const { value, context } = foldStream(auctionId, events);
    const { submitter, ceiling, requiredTops, closesAt } = context as Auction;
    return { submitter, ceiling, requiredTops, closesAt, state: stateName(value) };
  },

  async providerView(ref) {
    const ids = 'providerId' in ref ? [ref.providerId] : await providersOf(ref.owner);
    const [id] = ids;
    const provider = ids.length === 1 && id !== undefined ? await providers.find(id) : null;
    if (!provider) return null;
    const { attestation } = provider;
    return {
      ...provider,
      bonded: bondedStake(provider),
      listed: attestation !== null && isBefore(now(), attestation.expiresAt),
    };
  },

  admits({ evidence }) {
    const { admitted, reason } = admits(evidence, now());
    return admitted ? null : reject('AUTHORIZATION_FAILED', reason ?? 'the trust gate refuses it');
  },
});
