import { setTimeout as sleep } from 'node:timers/promises';
import { EXTENSION_SECONDS } from '../domain/auction/asking.ts';
import type { Auction, SealedBid } from '../domain/auction/auction.ts';
import { distinctOwners, extension } from '../domain/auction/decide.ts';
import type { AuctionEvent, BidsOpened, BidVerdict, OpenedBid } from '../domain/auction/events.ts';
import { ALLOCATION_SECONDS } from '../domain/auction/reservation.ts';
import { ROOM_REASONS, type Room } from '../domain/auction/room.ts';
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
  /** Asks the node of a bid to hold its capacity; `underBond` where its risk was priced by a bond. */
  readonly askRoom: (providerId: string, auction: Auction, underBond: boolean) => Promise<Room>;
  readonly now: () => string;
  /** Monotonic ms. */
  readonly monotonicMs?: () => number;
  readonly pause?: (ms: number) => Promise<unknown>;
}

type Placements = ReadonlyMap<string, MarketPlacement>;

interface Judged {
  readonly bid: OpenedBid;
  readonly evidence: RiskEvidence;
  readonly underBond: boolean;
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
/**
 * Where too few are left because the engine has no way to nodes, as after its own restart, these are asked again for so
 * long, and with such a pause between, ms: nodes come back within some ten seconds. With all rounds of the last time it
 * stays below the effect's limit (workflows/auction.ts).
 */
const RETURN_MS = 10_000;
const PAUSE_MS = 1_000;

interface Asked {
  readonly outcome: Awaited<ReturnType<Solver['award']>>;
  readonly priced: Pick<BidsOpened, 'bids' | 'risks'>;
  /** How many bids may win. */
  readonly left: number;
  /** What the nodes that were asked have said, by bid. */
  readonly rooms: ReadonlyMap<string, Room>;
}

/** Effects of an auction. */
export const createAuctionActivities = ({
  sealing,
  market,
  solver,
  askRoom,
  now,
  monotonicMs = () => performance.now(),
  pause = (ms) => sleep(ms),
}: AuctionDeps) => {
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
    const { evidence, underBond, ...place } = placement;
    return { bid: { bidId: bid.bidId, price, ...place }, evidence, underBond };
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
   * who buy, and who is about to win is asked. Each is asked once; who has no room, or does not say so, is left out and
   * nothing is held against it, for it may have won elsewhere meanwhile, and silence may be the engine's own.
   */
  const awardWithRoom = async (
    auction: Auction,
    opened: readonly Judged[],
    rooms: Map<string, Room>,
  ): Promise<Asked> => {
    const isUnasked = ({ bidId }: Pick<OpenedBid, 'bidId'>): boolean => !rooms.has(bidId);
    const bonded = new Set(opened.filter(({ underBond }) => underBond).map(({ bid }) => bid.bidId));
    const mayWin = ({ bid: { bidId } }: Judged): boolean => (rooms.get(bidId) ?? 'held') === 'held';
    for (let round = 1; ; round++) {
      const left = opened.filter(mayWin);
      const priced = pricedBy(auction, left);
      const outcome = await solver.award({
        tier: auction.tier,
        ceiling: auction.ceiling,
        bids: priced.bids,
        typeUnavailability: TYPE_UNAVAILABILITY,
        seed: auction.seed,
      });
      const bought = outcome.ok ? outcome.winners.filter(isUnasked) : [];
      await Promise.all(
        (bought.length > 0 && round > ROUNDS ? priced.bids.filter(isUnasked) : bought).map(
          async ({ bidId, providerId }) =>
            rooms.set(bidId, await askRoom(providerId, auction, bonded.has(bidId))),
        ),
      );
      if (left.every(mayWin)) return { outcome, priced, left: left.length, rooms };
    }
  };

  /** The award, waiting for nodes that the engine has no way to where it fails without them. */
  const awardPatiently = async (
    auction: Auction,
    opened: readonly Judged[],
    patient: boolean,
  ): Promise<Asked> => {
    const rooms = new Map<string, Room>();
    const began = monotonicMs();
    for (;;) {
      const asked = await awardWithRoom(auction, opened, rooms);
      const away = [...rooms].filter(([, room]) => room === 'away');
      const isLate = monotonicMs() - began >= RETURN_MS;
      if (asked.outcome.ok || away.length === 0 || !patient || isLate) return asked;
      await pause(PAUSE_MS);
      for (const [bidId] of away) rooms.delete(bidId);
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
      // An extension is wait enough.
      const { outcome, priced, left, rooms } = await awardPatiently(auction, readable, !mayExtend);
      if (mayExtend && !outcome.ok && left < readable.length)
        return [extension(auction, distinctOwners(priced.bids), now(), EXTENSION_SECONDS)];
      const refusals = [
        ...opened.flatMap((each) => ('refused' in each ? [each.refused] : [])),
        ...readable.flatMap(({ bid: { bidId } }): BidVerdict[] => {
          const room = rooms.get(bidId) ?? 'held';
          return room === 'held' ? [] : [{ bidId, state: 'rejected', reason: ROOM_REASONS[room] }];
        }),
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
