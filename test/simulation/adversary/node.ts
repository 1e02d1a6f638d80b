import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Enclave } from '../../../domain/enclave/enclave.ts';
import type { CostPolicy } from '../../../domain/mesh/bid-policy.ts';
import type { EngineRequest } from '../../../domain/mesh/messages.ts';
import { type Micro, toMicro } from '../../../domain/money.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import type { InfrastructureType } from '../../../domain/tiers.ts';
import type { BidDesk } from '../../../infra/bidding/bid-desk.ts';
import { bidIdOf } from '../../../infra/bidding/bid-id.ts';
import type { createBidNews } from '../../../infra/bidding/bid-news.ts';
import { type Bidder, createBidder } from '../../../infra/node/bidder.ts';
import { type CapacityBook, createCapacityBook } from '../../../infra/node/capacity.ts';
import type { Engines } from '../../../infra/node/engines.ts';
import type { Clock } from './clock.ts';
import { type Holds, metered } from './holds.ts';

export interface NodeProfile {
  readonly name: string;
  readonly infrastructureType: InfrastructureType;
  readonly tops: number;
  /** Its own cost, micro-units. */
  readonly pricePerH200Hour: bigint;
  /** Newcomers have no record of delivered work. */
  readonly newcomer?: boolean;
  /** Barred ones have a record of orders that they did not show up for. */
  readonly barred?: boolean;
  /** How it departs from what it should do. */
  readonly conduct?: Conduct;
}

/** What a node does instead of launching an enclave, or of running one to its end. */
export type Misdeed = 'declines' | 'refuses' | 'claims-no-artefact' | 'stays-silent' | 'crashes';

export interface Conduct {
  /** The price that it asks instead of its own. */
  readonly asks?: (price: Micro, ceiling: Micro) => Micro;
  /** Says at every close that it has no room. */
  readonly confirming?: 'never';
  readonly launching?: (enclave: Enclave) => Misdeed | null;
  /** Null: as it should. `slower`: its machine takes so many times as long, or below 1 less. */
  readonly running?: (enclave: Enclave) => 'crashes' | { readonly slower: number } | null;
}

/** Ways of a node to the engine's handlers. */
export interface Desk {
  readonly placeBid: BidDesk['placeBid'];
  readonly bidNews: ReturnType<typeof createBidNews>;
}

export interface SimulatedNode {
  readonly profile: NodeProfile;
  readonly providerId: string;
  readonly publicKey: string;
  readonly owner: string;
  readonly bidder: Bidder;
  readonly capacity: CapacityBook;
  readonly holds: Holds;
}

/** One message on its way, ms. */
export const MESSAGE_MS = 20;

/** Memory of a node, MiB: as much as of a small server, for eight places. */
const NODE_MB = 16_384;

const seedOf = (index: number): Uint8Array =>
  new Uint8Array(32).fill(0).map((_, at) => (index >> (8 * at)) & 255);

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A node with the bidder and the capacity book of the product; only its sandbox and its wires are simulated. */
export const createNode = (
  clock: Clock,
  desk: () => Desk,
  profile: NodeProfile,
  index: number,
): SimulatedNode => {
  const { name, tops, pricePerH200Hour, conduct = {} } = profile;
  const seed = seedOf(index + 1);
  const publicKey = bytesToHex(ed25519.getPublicKey(seed));
  const providerId = providerIdOf(publicKey);
  const owner = `subject-owner-${name}`;
  const policy: CostPolicy = {
    pricePerH200Hour: toMicro(pricePerH200Hour),
    floor: toMicro(1n),
    margin: 0.1,
    maxConcurrent: 8,
  };
  const node = { owner, tops, memoryMb: NODE_MB };
  const { nowMs } = clock;
  const { book: capacity, holds } = metered(createCapacityBook({ policy, node, nowMs }), {
    nowMs,
    leastTops: tops / policy.maxConcurrent,
  });
  const ceilings = new Map<string, Micro>();

  const answers = {
    bid: async ({ auctionId, price }: { readonly auctionId: string; readonly price: Micro }) => {
      const asked = conduct.asks?.(price, ceilings.get(auctionId) as Micro) ?? price;
      const meta = {
        commandId: bidIdOf(auctionId, providerId),
        actor: owner,
        correlationId: auctionId,
        causationId: auctionId,
        traceparent: null,
      };
      const placed = await desk().placeBid({ auctionId, providerId, price: asked, meta });
      return placed.ok
        ? { type: 'bid-placed' as const, bidId: placed.bidId, position: placed.position }
        : placed;
    },
    'bid-outcome': async ({ auctionId }: { readonly auctionId: string }) => {
      const news = await desk().bidNews(providerId, auctionId);
      return news.ok ? news.value : news;
    },
  };
  const engines: Engines = {
    async ask(request) {
      const { type } = request as EngineRequest;
      if (type !== 'bid' && type !== 'bid-outcome') throw new Error(`no bidder asks ${type}`);
      await clock.pause(MESSAGE_MS);
      return (await answers[type](request as never)) as never;
    },
  };
  const bidder = createBidder({
    policy,
    node,
    bidDelayMs: 0,
    seed,
    capacity,
    // Simulated runs take no time of a processor.
    fuelRate: () => Promise.resolve({ perSecond: 1e15, cores: 1, startSeconds: 0 }),
    engines,
    nowMs,
    pause: (ms) => clock.pause(ms),
    signal: new AbortController().signal,
    log: silent,
  });
  return {
    profile,
    providerId,
    publicKey,
    owner,
    capacity,
    holds,
    bidder: {
      opened: (auction) => {
        ceilings.set(auction.auctionId, auction.ceiling);
        bidder.opened(auction);
      },
      confirm: (auctionId, asked) => conduct.confirming !== 'never' && bidder.confirm(auctionId, asked),
      ended: bidder.ended,
      standIn: bidder.standIn,
    },
  };
};
