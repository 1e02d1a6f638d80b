import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { position, queryNumber } from '../../fields.ts';

const HASH_BYTES = 32;

/** Tiles in place of proofs: who follows the log computes every proof itself, and hides what it looks for. */
export const getTile = ({ transparency }: Pick<RouteDependencies, 'transparency'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/tile/{level}/{index}',
      summary: 'Up to 256 hashes of the tree, side by side (c2sp.org/tlog-tiles, height 8)',
      tag: 'log',
      access: 'open',
      params: z.strictObject({ level: queryNumber(z.int().min(0).max(7)), index: position }),
      query: z.strictObject({
        width: queryNumber(z.int().min(1).max(256)).optional().describe('hashes; all there are unless given'),
      }),
      responses: {
        200: {
          mediaType: 'application/octet-stream',
          description: 'hashes of complete subtrees of 256^level leaves, 32 bytes each',
        },
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { params: { level, index }, query }) => {
      const hashes = await transparency.tile({ level, index: BigInt(index) });
      if (!hashes)
        return reject('RESOURCE_NOT_FOUND', 'no such tile', [{ field: 'index', rule: 'a tile of the log' }]);
      const length = (query.width ?? hashes.length / HASH_BYTES) * HASH_BYTES;
      if (length > hashes.length)
        return reject('RESOURCE_NOT_FOUND', 'the tile is not that wide', [
          { field: 'width', rule: `at most ${hashes.length / HASH_BYTES}` },
        ]);
      return respond(200, hashes.subarray(0, length));
    },
  );
