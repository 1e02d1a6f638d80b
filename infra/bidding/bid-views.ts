import type { Auction } from '../../domain/auction/auction.ts';
import { reject } from '../../domain/errors.ts';
import { stateName } from '../../domain/lifecycle.ts';
import { multiply } from '../../domain/money.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { covers } from '../../domain/provider/bond.ts';
import type { Provider } from '../../domain/provider/fold.ts';
import { admits } from '../../domain/provider/opinion.ts';
import { isBarred } from '../../domain/provider/risk.ts';
import { bondedStake } from '../../domain/provider/stake.ts';
import { isBefore } from '../../domain/time.ts';
import { foldsOf } from '../event-store/folds.ts';
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
    const folded = await foldsOf(store).stream(auctionId);
    if (!folded) return null;
    const { value, context } = folded;
    const { submitter, ceiling, winners, requiredTops, closesAt } = context as Auction;
    return { submitter, ceiling, winners, requiredTops, closesAt, state: stateName(value) };
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

  admits({ evidence, bond }, { ceiling, winners }) {
    const at = now();
    const { admitted, reason } = admits(evidence, at, bond !== null);
    if (!admitted) {
      const why = reason ?? 'the trust gate refuses it';
      return reject('AUTHORIZATION_FAILED', `${why}; a bond buys a first chance`);
    }
    const escrow = multiply(ceiling, winners);
    if (!bond || covers(bond, escrow) || !isBarred(evidence, at)) return null;
    return reject('INSUFFICIENT_BALANCE', `the bond of ${bond.amount} does not cover the order's ${escrow}`, [
      { field: 'bond', rule: `at least ${escrow} micro-units, the order's ceiling × winners` },
    ]);
  },
});
