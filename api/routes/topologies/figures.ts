import { z } from 'zod';
import { type GraphFigures, graphFigures } from '../../../domain/topology/graph.ts';
import { listDraws } from '../../../projections/topologies/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { currentTopology } from './current.ts';

/** Figures of the mesh that the draws of this epoch span. */
export const getTopology = ({
  checkpoints,
  db,
  now,
  topology,
}: Pick<RouteDependencies, 'checkpoints' | 'db' | 'now' | 'topology'>) => {
  // The figures of a large mesh cost as much as a hundred requests, and change with a draw alone.
  let latest: { readonly of: string; readonly figures: GraphFigures } | null = null;

  return defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/vrf/topology',
      summary: 'Figures of the mesh in this epoch',
      tag: 'vrf',
      access: 'any',
      query: z.strictObject(afterQuery),
      responses: {
        200: z.object({
          epoch: z.int(),
          nodes: z.int().describe('candidates of the epoch'),
          drawn: z.int().describe('of them, those whose draw is on record'),
          average_degree: z.number(),
          diameter: z.int().nullable().describe('null while some nodes cannot reach each other'),
          diameter_exact: z.boolean().describe('false for a lower bound, in a very large mesh'),
          spectral_gap: z.number(),
          k_core: z.int(),
        }),
      },
      errors: [],
    },
    async (_context, { query }) => {
      const ready = await readAfter(checkpoints, ['topologies', 'neighbour_draws'], query.after);
      if (!ready.ok) return ready;
      const current = await currentTopology(db, topology.network, now());
      if (!current.ok) return current;
      const { topologyId, epoch, candidateSet, candidateRoot } = current.value;
      const draws = await listDraws(db, topologyId);
      const of = `${topologyId}/${draws.length}`;
      if (latest?.of !== of) {
        const { candidates } = await topology.sets.load(candidateSet, candidateRoot);
        const members = candidates.map(({ nodeId }) => nodeId);
        latest = { of, figures: graphFigures(draws, members) };
      }
      const { nodes, averageDegree, diameter, diameterIsExact, spectralGap, kCore } = latest.figures;
      return respond(200, {
        epoch,
        nodes,
        drawn: draws.length,
        average_degree: averageDegree,
        diameter,
        diameter_exact: diameterIsExact,
        spectral_gap: spectralGap,
        k_core: kCore,
      });
    },
  );
};
