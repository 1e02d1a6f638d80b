import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { queryNumber } from '../../fields.ts';
import { anchorSchema, anchorView } from './anchor.ts';
import { treeSize } from './inclusion.ts';

/** The largest size there can be. */
const NO_END = String(2n ** 63n - 1n);

/** Every anchor of a part of the log, so that an export can carry what an auditor checks without a server. */
export const getAnchors = ({ anchored }: Pick<RouteDependencies, 'anchored'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/anchors',
      summary: 'Heads of the log that another chain holds, smallest first',
      tag: 'log',
      access: 'open',
      query: z.strictObject({
        from: treeSize.default('1').describe('size of the smallest head'),
        to: treeSize.default(NO_END).describe('size of the largest head'),
        limit: queryNumber(z.int().min(1).max(500))
          .default(100)
          .describe('anchors at once; of one size all are given'),
      }),
      responses: {
        200: z.object({
          items: z.array(anchorSchema),
          next_from: treeSize.nullable().describe('where to go on; null at the end'),
        }),
      },
      errors: [],
    },
    async (_context, { query }) => {
      const heads = await anchored.between(BigInt(query.from), BigInt(query.to), query.limit);
      const last = heads.length < query.limit ? undefined : heads.at(-1);
      return respond(200, {
        items: heads.map(anchorView),
        next_from: last && last.size < BigInt(query.to) ? String(last.size + 1n) : null,
      });
    },
  );
