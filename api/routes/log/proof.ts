import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { position } from '../../fields.ts';
import { beyond, inclusionOf, inclusionSchema, treeSize } from './inclusion.ts';

export const getInclusion = ({ transparency }: Pick<RouteDependencies, 'transparency'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/proof/{position}',
      summary: 'Proof that the event at a position is in the signed log',
      tag: 'log',
      access: 'open',
      params: z.strictObject({ position }),
      query: z.strictObject({
        size: treeSize.optional().describe('of the tree; the newest signed one unless given'),
      }),
      responses: { 200: inclusionSchema },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { params, query }) => {
      const at = BigInt(params.position);
      const newest = await transparency.newest();
      const size = query.size === undefined ? newest?.size : BigInt(query.size);
      if (!newest || size === undefined || size > newest.size) return beyond('size', newest);
      const checkpoint = size === newest.size ? newest : await transparency.checkpointAt(size);
      if (at < 1n || at > size) return beyond('position', newest);
      return respond(200, await inclusionOf(transparency, at, size, checkpoint));
    },
  );
