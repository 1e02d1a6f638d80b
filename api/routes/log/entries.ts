import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { queryNumber } from '../../fields.ts';
import { beyond, treeSize } from './inclusion.ts';

/** The very texts that were hashed, so that an auditor recomputes leaves, chain and tree instead of believing them. */
export const getEntries = ({ transparency }: Pick<RouteDependencies, 'transparency'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/log/entries',
      summary: 'Events of the signed log as they were hashed, one a line',
      tag: 'log',
      access: ['auditor'],
      query: z.strictObject({
        from: treeSize.default('1').describe('position of the first'),
        limit: queryNumber(z.int().min(1).max(5000)).default(1000),
      }),
      responses: {
        200: {
          mediaType: 'application/x-ndjson',
          description:
            'lines {"position":"…","hash":"…","envelope":…}, up to the newest signed head of the log',
        },
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async (_context, { query }) => {
      const from = BigInt(query.from);
      const newest = await transparency.newest();
      if (!newest || from > newest.size) return beyond('from', newest);
      const last = from + BigInt(query.limit) - 1n;
      return respond(200, await transparency.entries(from, last < newest.size ? last : newest.size));
    },
  );
