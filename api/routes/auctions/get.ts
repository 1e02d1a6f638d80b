import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { bidStats, getAuction } from '../../../projections/auctions/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, micro, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';

/** Before the close it tells how many bids there are and when they came; whose and what they are stays under seal. */
export const getAuctionState = ({ db, checkpoints }: Pick<RouteDependencies, 'db' | 'checkpoints'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/pricing/auctions/{auction_id}',
      summary: 'State of an auction and number of its bids; winners and figures after the close',
      tag: 'pricing',
      access: 'any',
      params: z.strictObject({ auction_id: idOf('auction') }),
      query: z.strictObject({ ...afterQuery, at: position.optional().describe('the same as after') }),
      responses: {
        200: z.object({
          auction_id: z.string(),
          state: z.enum(['open', 'opening', 'awarded', 'allocated', 'lapsed', 'failed']),
          reason: z.string().optional(),
          message: z.string().optional(),
          tier: z.string(),
          ceiling: micro,
          k: z.int(),
          min_bidders: z.int(),
          closes_at: instant,
          extended: z.boolean(),
          bids: z
            .object({ count: z.int(), first_at: instant.optional(), last_at: instant.optional() })
            .describe('placed so far, under seal until the close'),
          winners: z.array(
            z.object({
              provider_id: z.string(),
              owner: z.string(),
              payment: micro,
              surcharge: micro
                .optional()
                .describe('what its risk added to its price when bids were compared; nobody pays it'),
            }),
          ),
          total: micro.optional(),
          predicted_availability: z.number().optional(),
          solution: z
            .object({
              method: z.enum(['exact', 'best-found']),
              at_least: micro
                .optional()
                .describe('with best-found: what every set of bids costs at least, surcharges included'),
            })
            .optional(),
          stats: z
            .object({ count: z.int(), unique: z.int(), min: micro, max: micro, mean: micro })
            .optional()
            .describe('over the bids that were opened'),
          position,
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { params, query }) => {
      const ready = await readAfter(checkpoints, ['auctions'], query.after ?? query.at);
      if (!ready.ok) return ready;
      const auction = await getAuction(db, params.auction_id);
      if (!auction) return reject('RESOURCE_NOT_FOUND', `no auction ${params.auction_id}`);
      const stats = bidStats(auction);
      return respond(200, {
        auction_id: auction.auctionId,
        state: auction.state,
        ...(auction.reason === null ? {} : { reason: auction.reason }),
        ...(auction.message === null ? {} : { message: auction.message }),
        tier: auction.tier,
        ceiling: auction.ceiling,
        k: auction.winnerCount,
        min_bidders: auction.minimumOwners,
        closes_at: auction.closesAt,
        extended: auction.extended,
        bids: {
          count: auction.bidsPlaced,
          ...(auction.firstBidAt === null ? {} : { first_at: auction.firstBidAt }),
          ...(auction.lastBidAt === null ? {} : { last_at: auction.lastBidAt }),
        },
        winners: auction.winners.map(({ providerId, owner, payment, surcharge }) => ({
          provider_id: providerId,
          owner,
          payment,
          ...(surcharge === undefined ? {} : { surcharge }),
        })),
        ...(auction.total === null ? {} : { total: auction.total }),
        ...(auction.predictedAvailability === null
          ? {}
          : { predicted_availability: auction.predictedAvailability }),
        ...(auction.method === null
          ? {}
          : {
              solution: {
                method: auction.method,
                ...(auction.atLeast === null ? {} : { at_least: auction.atLeast }),
              },
            }),
        ...(stats ? { stats } : {}),
        position: auction.position,
      });
    },
  );
