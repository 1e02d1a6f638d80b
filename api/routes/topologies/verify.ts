import { z } from 'zod';
import { commitmentOf } from '../../../domain/topology/commitment.ts';
import { NEIGHBOUR_FAULTS } from '../../../domain/topology/verify-neighbours.ts';
import { verifyNeighbours } from '../../../infra/verify/index.ts';
import { topologiesNumbered } from '../../../projections/topologies/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { selectionSchema } from './selection.ts';

/**
 * Verifies a selection from its own data alone. What this log knows of the epoch counts beside it: a selection may be
 * sound within and of an epoch that never was.
 */
export const verifySelection = ({ db, topology }: Pick<RouteDependencies, 'db' | 'topology'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/vrf/verify',
      summary: 'Verify a selection of neighbours',
      tag: 'vrf',
      access: 'any',
      body: selectionSchema,
      responses: {
        200: z.object({
          valid: z.boolean(),
          reason: z.enum(NEIGHBOUR_FAULTS).optional(),
          epoch_known: z.boolean().describe('whether this log has fixed the epoch it names'),
        }),
      },
      errors: [],
    },
    async (_context, { body }) => {
      const own =
        body.network === topology.network ? await topologiesNumbered(db, topology.network, body.epoch) : [];
      const verdicts = own.map((epoch) => verifyNeighbours(body, commitmentOf(epoch)));
      const verdict = verdicts.find(({ valid }) => valid) ?? verdicts[0] ?? verifyNeighbours(body);
      return respond(200, {
        valid: verdict.valid,
        ...(verdict.valid ? {} : { reason: verdict.reason }),
        epoch_known: own.length > 0,
      });
    },
  );
