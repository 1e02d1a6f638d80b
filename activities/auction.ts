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
  /** Whether a node still has room for its bid, which it holds then. One that does not say so is bound by its bid. */
  readonly hasRoom: (providerId: string, auction: Auction) => Promise<boolean>;
  readonly now: () => string;
}

/** Why a bid could not win that nothing is held against. */
const NO_ROOM = 'its node had no room left at the close';

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

/** Times that those about to win are asked for room, before everybody left is. */
const ROUNDS = 3;

/** Effects of an auction. */
export const createAuctionActivities = ({ sealing, market, solver, hasRoom, now }: AuctionDeps) => {
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

  /**
   * The award among bids whose nodes have room (settled 37): bids hold no capacity, so that asking takes none from those
   * who buy, and who is about to win is asked. Each is asked once; who has no room is left out and nothing is held
   * against it, for it may have won elsewhere meanwhile.
   */
  const awardWithRoom = async (auction: Auction, opened: readonly Judged[]) => {
    const asked = new Set<string>();
    const isUnasked = ({ bidId }: Pick<OpenedBid, 'bidId'>): boolean => !asked.has(bidId);
    let left = opened;
    for (let round = 1; ; round++) {
      const priced = pricedBy(auction, left);
      const outcome = await solver.award({
        tier: auction.tier,
        ceiling: auction.ceiling,
        bids: priced.bids,
        typeUnavailability: TYPE_UNAVAILABILITY,
        seed: auction.seed,
      });
      const bought = outcome.ok ? outcome.winners.filter(isUnasked) : [];
      if (bought.length === 0) return { outcome, priced, left };
      const full = new Set<string>();
      await Promise.all(
        (round > ROUNDS ? priced.bids.filter(isUnasked) : bought).map(async ({ bidId, providerId }) => {
          asked.add(bidId);
          if (!(await hasRoom(providerId, auction))) full.add(bidId);
        }),
      );
      if (full.size === 0) return { outcome, priced, left };
      left = left.filter(({ bid: { bidId } }) => !full.has(bidId));
    }
  };

  return {
    /**
     * Opens the sealed bids and awards the auction: `auction.bids-opened`, then `auction.awarded` or `auction.failed`. Too
     * few owners whom the trust gate admits, or who have room, extend it instead, as long as no price is in the log.
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
      const readable = opened.flatMap((each) => ('bid' in each ? [each] : []));
      const { outcome, priced, left } = await awardWithRoom(auction, readable);
      if (mayExtend && !outcome.ok && left.length < readable.length)
        return [extension(auction, distinctOwners(priced.bids), now(), EXTENSION_SECONDS)];
      const refusals = [
        ...opened.flatMap((each) => ('refused' in each ? [each.refused] : [])),
        ...readable
          .filter((each) => !left.includes(each))
          .map(({ bid: { bidId } }): BidVerdict => ({ bidId, state: 'rejected', reason: NO_ROOM })),
      ];
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
