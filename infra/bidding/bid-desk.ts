import { randomBytes } from 'node:crypto';
import { late, ownAuction } from '../../domain/auction/decide.ts';
import { type Rejection, reject, rejectField } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import { isMicro, type Micro, units } from '../../domain/money.ts';
import type { CommandAccepted, CommandMeta, Lifecycles } from '../../domain/ports/lifecycles.ts';
import type { Sealing } from '../../domain/ports/sealing.ts';
import { requiredStake } from '../../domain/provider/stake.ts';
import { SealingKeyMissing } from '../keys/sealing.ts';
import { bidIdOf } from './bid-id.ts';
import { sealContext } from './seal-context.ts';

/** What the desk must know of an auction before a bid reaches it. */
export interface AuctionTerms {
  readonly submitter: string;
  readonly ceiling: Micro;
  readonly winners: number;
  readonly requiredTops: number;
  /** State value of the lifecycle; bids are taken while it is `open`. */
  readonly state: string;
  readonly closesAt: string;
}

/** What the desk must know of a bidder. */
export interface Bidder {
  readonly providerId: string;
  readonly owner: string;
  readonly tops: number;
  /** Attested, and the attestation has not expired. */
  readonly listed: boolean;
  /** Stake that stands behind its bids. */
  readonly bonded: Micro;
}

/** A node bids as itself; over HTTP an owner bids for its only provider. With both, the one has to be the other's. */
export type BidderRef =
  | { readonly providerId: string; readonly owner?: string }
  | { readonly providerId?: never; readonly owner: string };

export interface BidDeskDeps<B extends Bidder = Bidder> {
  readonly lifecycles: Pick<Lifecycles, 'execute'>;
  readonly sealing: Pick<Sealing, 'createKey' | 'seal'>;
  /** TOPS of one H200: what stakes are counted by, as prices are. */
  readonly tRef: number;
  readonly auctionView: (auctionId: string) => Promise<AuctionTerms | null>;
  /** The provider meant: by its id, or the only one of an owner. Null when there is none. */
  readonly providerView: (
    ref: { readonly providerId: string } | { readonly owner: string },
  ) => Promise<B | null>;
  /** The trust gate: a refusal (403) or null. */
  readonly admits: (bidder: B, auction: AuctionTerms) => Rejection | null;
}

export type PlaceBidRequest = BidderRef & {
  readonly auctionId: string;
  /** Untrusted text; checked here. */
  readonly price: string;
  /** The same `commandId` has one effect; a node's bid takes its bid id. */
  readonly meta: CommandMeta;
};

export type BidOutcome = (CommandAccepted & { readonly bidId: string }) | Rejection;

export interface BidDesk {
  /** Checks, seals and places a bid. The price leaves this function only inside the sealed box. */
  placeBid(request: PlaceBidRequest): Promise<BidOutcome>;
}

/** Longest price in digits; the nonce fills up to it, so that a box's length tells nothing about the price. */
const PRICE_DIGITS = 30;
const NONCE_HEX = 64;

const isPrice = (text: string): text is Micro =>
  isMicro(text) && !text.startsWith('-') && text.length <= PRICE_DIGITS;

/** Price and nonce, always of one length. */
const sealedContent = (price: Micro): string => {
  const nonce = randomBytes(NONCE_HEX / 2)
    .toString('hex')
    .slice(0, NONCE_HEX - price.length);
  return canonicalJson({ price, nonce });
};

/** Rules that need neither price nor lifecycle. */
const refusalOf = <B extends Bidder>(
  auction: AuctionTerms,
  bidder: B,
  owner: string | undefined,
  tRef: number,
  admits: BidDeskDeps<B>['admits'],
): Rejection | null => {
  if (owner !== undefined && bidder.owner !== owner) {
    return reject('AUTHORIZATION_FAILED', 'the provider belongs to another owner');
  }
  if (bidder.owner === auction.submitter) return ownAuction();
  if (!bidder.listed) return reject('AUTHORIZATION_FAILED', 'the provider is not attested');
  const stake = requiredStake(bidder.tops, tRef);
  if (units(bidder.bonded) < units(stake)) {
    const rule = `at least ${stake} micro-units for ${bidder.tops} TOPS, ${bidder.bonded} is staked`;
    return reject('INSUFFICIENT_BALANCE', `the provider has not staked what its capacity takes: ${rule}`, [
      { field: 'stake', rule },
    ]);
  }
  if (bidder.tops < auction.requiredTops) {
    return rejectField('auction_id', `needs ${auction.requiredTops} TOPS, the provider has ${bidder.tops}`);
  }
  return admits(bidder, auction);
};

/** The one way into an auction for bids of the mesh and of HTTP (settled 12, 25). */
export const createBidDesk = <B extends Bidder>(deps: BidDeskDeps<B>): BidDesk => {
  const { lifecycles, sealing, tRef, auctionView, providerView, admits } = deps;

  const sealed = async (auctionId: string, bidId: string, price: Micro): Promise<string | null> => {
    try {
      return await sealing.seal(auctionId, sealedContent(price), sealContext(auctionId, bidId));
    } catch (error) {
      if (error instanceof SealingKeyMissing) return null;
      throw error;
    }
  };

  /** The box, or null when the auction's key is gone: it closed after the view of it was taken. */
  const seal = async (auctionId: string, bidId: string, price: Micro): Promise<string | null> => {
    const box = await sealed(auctionId, bidId, price);
    if (box !== null) return box;
    // The first bid has it made; one that was destroyed stays so.
    await sealing.createKey(auctionId);
    return sealed(auctionId, bidId, price);
  };

  return {
    async placeBid(request) {
      const { auctionId, price, meta, providerId, owner } = request;
      if (!isPrice(price))
        return rejectField('price', 'an integer number of micro-units as a decimal string, not negative');
      const ref = providerId === undefined ? { owner } : { providerId };
      const [auction, bidder] = await Promise.all([auctionView(auctionId), providerView(ref)]);
      if (!auction) return reject('RESOURCE_NOT_FOUND', `no auction ${auctionId}`);
      if (!bidder) {
        return reject(
          'AUTHORIZATION_FAILED',
          'who bids has one registered provider; the nodes of several bid by themselves',
        );
      }
      const refusal = refusalOf(auction, bidder, owner, tRef, admits);
      if (refusal) return refusal;
      if (auction.state !== 'open') return late(auction.closesAt);
      if (units(price) > units(auction.ceiling))
        return rejectField('price', 'at most the ceiling of the auction');

      const bidId = bidIdOf(auctionId, bidder.providerId);
      const sealed = await seal(auctionId, bidId, price);
      if (sealed === null) return late(auction.closesAt);
      const command = {
        type: 'place-bid',
        bidId,
        providerId: bidder.providerId,
        owner: bidder.owner,
        sealed,
      } as const;
      const outcome = await lifecycles.execute(auctionId, command, meta);
      return outcome.ok ? { ...outcome, bidId } : outcome;
    },
  };
};
