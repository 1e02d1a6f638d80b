import { EXTENSION_SECONDS } from '../domain/auction/asking.ts';
import type { Auction, SealedBid } from '../domain/auction/auction.ts';
import { distinctOwners, extension } from '../domain/auction/decide.ts';
import type { AuctionEvent, BidsOpened, BidVerdict, OpenedBid } from '../domain/auction/events.ts';
import { ALLOCATION_SECONDS } from '../domain/auction/reservation.ts';
import { surchargesOf } from '../domain/auction/surcharge.ts';
import { compare, isMicro, type Micro } from '../domain/money.ts';
import type { Sealing } from '../domain/ports/sealing.ts';
import type { Solver } from '../domain/ports/solver.ts';
import type { RiskEvidence } from '../domain/provider/risk.ts';
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

interface Judged {
  readonly bid: OpenedBid;
  readonly evidence: RiskEvidence;
}

type Opened = Judged | { readonly refused: BidVerdict };

const refused = (bid: SealedBid, reason: string): Opened => ({
  refused: { bidId: bid.bidId, state: 'rejected', reason },
});

const priceIn = (box: string | null): Micro | null => {
  if (box === null) return null;
  const { price } = JSON.parse(box) as { price?: unknown };
  return isMicro(price) ? price : null;
};

/** The bids as they were opened, with what their risk adds where the auction's rule prices it. */
const pricedBy = (
  { rule, ceiling, winners, seed }: Auction,
  judged: readonly Judged[],
): Pick<BidsOpened, 'bids' | 'risks'> => {
  const bids = judged.map(({ bid }) => bid);
  if (rule !== 'risk-priced') return { bids };
  const risks = judged.map(({ bid: { owner }, evidence }) => ({ owner, evidence }));
  const surcharges = surchargesOf(risks, { ceiling, winners, seed });
  return {
    bids: bids.map((bid, index) => ({ ...bid, surcharge: surcharges[index] as Micro })),
    risks: judged.map(({ bid: { bidId }, evidence }) => ({ bidId, ...evidence })),
  };
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
    const { evidence, ...place } = placement;
    return { bid: { bidId: bid.bidId, price, ...place }, evidence };
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
      const priced = pricedBy(
        auction,
        opened.flatMap((each) => ('bid' in each ? [each] : [])),
      );
      const refusals = opened.flatMap((each) => ('refused' in each ? [each.refused] : []));
      const outcome = await solver.award({
        tier: auction.tier,
        ceiling: auction.ceiling,
        bids: priced.bids,
        typeUnavailability: TYPE_UNAVAILABILITY,
        seed: auction.seed,
      });
      const verdicts = [...outcome.verdicts, ...refusals];
      const opening: AuctionEvent = { type: 'auction.bids-opened', ...priced, refused: refusals };
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
