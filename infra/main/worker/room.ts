import type { Auction } from '../../../domain/auction/auction.ts';
import type { NodeGateway } from '../../../domain/ports/node-gateway.ts';

/** What a node may take to say whether it has room, ms: an award asks a few times, and is waited for. */
const ROOM_MS = 1_000;

/**
 * Asks nodes whether they still have room for their bids. A node that does not say, or that bid without a connection, is
 * bound by its bid as ever: silence must not be a way out of it.
 */
export const roomOf =
  (gateway: Pick<NodeGateway, 'request'>) =>
  async (providerId: string, { auctionId, requiredTops: tops }: Auction): Promise<boolean> => {
    const request = { type: 'confirm-bid', auctionId, tops } as const;
    const reply = await gateway.request(providerId, request, { timeoutMs: ROOM_MS });
    return reply.type !== 'bid-confirmed' || reply.hasRoom;
  };
