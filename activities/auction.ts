import { EXTENSION_SECONDS } from '../domain/auction/asking.ts';
import type { Auction, SealedBid } from '../domain/auction/auction.ts';
import { distinctOwners, extension } from '../domain/auction/decide.ts';
import type { AuctionEvent, BidVerdict, OpenedBid } from '../domain/auction/events.ts';
import { ALLOCATION_SECONDS } from '../domain/auction/reservation.ts';
import { compare, isMicro, type Micro } from '../domain/money.ts';
import type { Sealing } from '../domain/ports/sealing.ts';
import type { Solver } from '../domain/ports/solver.ts';
import { TYPE_UNAVAILABILITY } from '../domain/tiers.ts';
import { addSeconds } from '../domain/time.ts';
import { sealContext } from '../infra/bidding/seal-context.ts';
import type { MarketPlacement, ProviderMarket } from '../infra/providers/provider-market.ts';

export interface AuctionDeps {
  readonly sealing: Pick<Sealing, 'openAll'>;
  readonly market: ProviderMarket;
  readonly solver: Pick<Solver, 'award'>;
  readonly now: () => string;
}

type Placements = ReadonlyMap<string, MarketPlacement>;

type Opened = { readonly bid: OpenedBid } | { readonly refused: BidVerdict };

const refused = (bid: SealedBid, reason: string): Opened => ({
  refused: { bidId: bid.bidId, state: 'rejected', reason },
});

const priceIn = (box: string | null): Micro | null => {
  if (box === null) return null;
  const { price } = JSON.parse(box) as { price?: unknown };
  return isMicro(price) ? price : null;
};

/** Effects of an auction. */
export const createAuctionActivities = ({ sealing, market, solver, now }: AuctionDeps) => {
  const judge = (
    auction: Auction,
    bid: SealedBid,
    box: string | null,
    placement: MarketPlacement | undefined,
  ): Opened => {
    const price = priceIn(box);
    if (price === null) return refused(bid, 'the sealed price cannot be read');
    if (compare(price, auction.ceiling) > 0) return refused(bid, 'the price is above the ceiling');
    if (!placement) return refused(bid, 'the provider is not listed');
    return { bid: { bidId: bid.bidId, price, ...placement } };
  };

  const openAll = async (auction: Auction, placements: Placements): Promise<Opened[]> => {
    const { auctionId, bids } = auction;
    const sealed = bids.map((bid) => ({ box: bid.sealed, context: sealContext(auctionId, bid.bidId) }));
    const boxes = await sealing.openAll(auctionId, sealed);
    return bids.map((bid, index) =>
      judge(auction, bid, boxes[index] ?? null, placements.get(bid.providerId)),
    );
  };

  return {
    /**
     * Opens the sealed bids and awards the auction: `auction.bids-opened`, then `auction.awarded` or `auction.failed`. Too
     * few owners whom the trust gate admits extend it instead, as long as no price has been opened.
     * Depends on the keys and the providers as they stand; the first answer that is appended holds.
     */
    'auction.openBids': async ({
      auction,
      mayExtend = false,
    }: {
      readonly auction: Auction;
      /** Not told by machines of version 1, which are not extended here. */
      readonly mayExtend?: boolean;
    }): Promise<AuctionEvent[]> => {
      const placements = await market.placementsOf(auction.bids.map((bid) => bid.providerId));
      const owners = distinctOwners(auction.bids.filter((bid) => placements.has(bid.providerId)));
      if (mayExtend && owners < auction.minimumOwners)
        return [extension(auction, owners, now(), EXTENSION_SECONDS)];
      const opened = await openAll(auction, placements);
      const bids = opened.flatMap((each) => ('bid' in each ? [each.bid] : []));
      const refusals = opened.flatMap((each) => ('refused' in each ? [each.refused] : []));
      const outcome = await solver.award({
        tier: auction.tier,
        ceiling: auction.ceiling,
        bids,
        typeUnavailability: TYPE_UNAVAILABILITY,
        seed: auction.seed,
      });
      const verdicts = [...outcome.verdicts, ...refusals];
      const opening: AuctionEvent = { type: 'auction.bids-opened', bids, refused: refusals };
      if (!outcome.ok) {
        return [
          opening,
          { type: 'auction.failed', reason: outcome.code, message: outcome.message, verdicts },
        ];
      }
      const closedAt = auction.closedAt ?? auction.closesAt;
      return [
        opening,
        {
          type: 'auction.awarded',
          winners: outcome.winners,
          verdicts,
          total: outcome.total,
          predictedAvailability: outcome.predictedAvailability,
          ...outcome.solution,
          allocateBy: auction.jobId === null ? addSeconds(closedAt, ALLOCATION_SECONDS) : null,
        },
      ];
    },
  };
};
