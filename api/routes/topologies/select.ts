import { hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { ok, type Result, reject } from '../../../domain/errors.ts';
import type { CandidateSet } from '../../../domain/topology/candidate.ts';
import { commitmentOf } from '../../../domain/topology/commitment.ts';
import { NEIGHBOUR_COUNT } from '../../../domain/topology/draw.ts';
import { type NeighbourSelection, selectionOf } from '../../../domain/topology/selection.ts';
import { selectionToJson } from '../../../domain/topology/selection-json.ts';
import { recordOf } from '../../../infra/topology/drawer.ts';
import { type DrawableTopology, getDraw } from '../../../projections/topologies/queries.ts';
import { defineRoute, type RequestContext, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf } from '../../fields.ts';
import { currentTopology } from './current.ts';
import { nodeOf } from './own-node.ts';
import { selectionSchema } from './selection.ts';

const NO_CRITERION =
  'left out: a node that could choose whom it draws from would choose its neighbourhood; draws are uniform over the committed set';

const bodySchema = z.strictObject({
  node_id: idOf('provider'),
  target_neighbors: z
    .literal(NEIGHBOUR_COUNT, `${NEIGHBOUR_COUNT}, for all nodes alike`)
    .default(NEIGHBOUR_COUNT),
  selection_criteria: z.strictObject({}, NO_CRITERION).optional(),
});

/**
 * A node's draw of this epoch. The node itself draws, for it alone has the key, and what it says is verified; asking again
 * in the same epoch gives the same answer.
 */
export const selectNeighbors = ({
  checkpoints,
  db,
  lifecycles,
  now,
  store,
  topology,
}: Pick<RouteDependencies, 'checkpoints' | 'db' | 'lifecycles' | 'now' | 'store' | 'topology'>) => {
  /** Drawn now, and put on record. */
  const drawAnew = async (
    epoch: DrawableTopology,
    set: CandidateSet,
    nodeId: string,
    { signal, meta }: RequestContext,
  ): Promise<Result<NeighbourSelection>> => {
    const drawn = await topology.drawer.draw(commitmentOf(epoch), set, nodeId, signal);
    if (!drawn.ok) return drawn;
    const { topologyId } = epoch;
    const origin = { ...meta(topologyId), commandId: `${topologyId}/draw/${nodeId}` };
    const outcome = await lifecycles.execute(topologyId, recordOf(drawn.value), origin);
    // A conflict says that the same draw is on record already.
    return outcome.ok || outcome.code === 'CONFLICT' ? drawn : outcome;
  };

  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/vrf/select',
      summary: 'Draw the neighbours of a node, provably',
      tag: 'vrf',
      access: ['provider', 'engine', 'operator'],
      body: bodySchema,
      responses: { 200: selectionSchema },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT', 'PROOF_VERIFICATION_FAILED'],
    },
    async (context, { body }) => {
      const node = await nodeOf({ checkpoints, db, store }, context.principal, body.node_id);
      if (!node.ok) return node;
      const { providerId } = node.value;
      const current = await currentTopology(db, topology.network, now());
      if (!current.ok) return current;
      const epoch = current.value;
      const set = await topology.sets.load(epoch.candidateSet, epoch.candidateRoot);
      if (set.indexOf(providerId) < 0) {
        const rule = `attested, reachable, and with a VRF key since ${epoch.registrationClosesAt}`;
        return reject('CONFLICT', `${providerId} is no candidate of epoch ${epoch.epoch}`, [
          { field: 'node_id', rule },
        ]);
      }
      const recorded = await getDraw(db, epoch.topologyId, providerId);
      const selection = recorded
        ? ok(
            selectionOf(commitmentOf(epoch), set, providerId, {
              output: hexToBytes(recorded.output),
              proof: hexToBytes(recorded.proof),
            }),
          )
        : await drawAnew(epoch, set, providerId, context);
      return selection.ok ? respond(200, selectionToJson(selection.value)) : selection;
    },
  );
};
