import { z } from 'zod';
import type { AuctionOpened, BidPlaced } from '../../../domain/auction/events.ts';
import { domainEventOf } from '../../../domain/event.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { amount, idOf, micro, position } from '../../fields.ts';

/** Who bids is in the token, never in the body (R20). The answer does not repeat the price. */
export const placeBid = ({ bidDesk, store }: Pick<RouteDependencies, 'bidDesk' | 'store'>) => {
  const placed = async (
    auctionId: string,
    { bidId, position: at }: { readonly bidId: string; readonly position: string },
  ) => {
    const [first] = await store.readStream(auctionId, { from: 0n, to: 0n });
    if (!first) throw new Error(`${auctionId} took a bid but has no event`);
    return respond(201, {
      bid_id: bidId,
      auction_id: auctionId,
      deposit: domainEventOf<AuctionOpened>(first).ceiling,
      position: at,
    });
  };

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/pricing/bid',
      summary: 'Place a sealed bid',
      tag: 'pricing',
      access: ['provider'],
      body: z.strictObject({ auction_id: idOf('auction'), price: amount }),
      responses: {
        201: z.object({ bid_id: z.string(), auction_id: z.string(), deposit: micro, position }),
      },
      errors: [
        'INSUFFICIENT_BALANCE',
        'AUTHORIZATION_FAILED',
        'RESOURCE_NOT_FOUND',
        'CONFLICT',
        'AUCTION_EXPIRED',
      ],
    },
    async ({ principal, meta }, { body }) => {
      const auctionId = body.auction_id;
      const outcome = await bidDesk.placeBid({
        auctionId,
        owner: principal.id,
        price: body.price,
        meta: meta(auctionId),
      });
      return outcome.ok ? placed(auctionId, outcome) : outcome;
    },
    async ({ commandId }, { body }) => {
      const auctionId = body.auction_id;
      const [decided] = await store.findCommands(auctionId, [commandId]);
      const [event] = decided?.events ?? [];
      if (!decided || !event) return null;
      const { bidId } = domainEventOf<BidPlaced>(event);
      return placed(auctionId, { bidId, position: String(decided.position) });
    },
  );
};
