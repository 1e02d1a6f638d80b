import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { connectable } from '../../../domain/topology/accept-peer.ts';
import { drawsAround, topologiesInForce } from '../../../projections/topologies/queries.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { nodeOf } from './own-node.ts';

/** Whom a node has drawn in this epoch, and in the one before, whose connections still hold. */
export const getNeighbors = ({
  checkpoints,
  db,
  now,
  store,
  topology,
}: Pick<RouteDependencies, 'checkpoints' | 'db' | 'now' | 'store' | 'topology'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/vrf/neighbors',
      summary: 'Neighbours of a node in this epoch',
      tag: 'vrf',
      access: ['provider', 'operator', 'auditor'],
      query: z.strictObject({ node_id: idOf('provider').optional(), ...afterQuery }),
      responses: {
        200: z.object({
          node_id: z.string(),
          epoch: z.int(),
          neighbors: z.array(z.string()),
          previous: z
            .object({ epoch: z.int(), neighbors: z.array(z.string()), expires_at: instant })
            .nullable()
            .describe('the draw of the epoch before, which still holds'),
          connectable: z
            .array(z.string())
            .describe(
              'nodes it may be connected to now: drawn by it or drawing it, in one of the two epochs',
            ),
          connected: z
            .array(z.string())
            .describe('of them, those that the node is connected to, as it last said itself'),
          connected_at: instant.nullable().describe('when it said so; null before it said anything'),
          expires_at: instant.describe('until when connections may rest on this draw'),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { query }) => {
      const ready = await readAfter(checkpoints, ['topologies', 'neighbour_draws', 'providers'], query.after);
      if (!ready.ok) return ready;
      const node = await nodeOf({ checkpoints, db, store }, principal, query.node_id);
      if (!node.ok) return node;
      const { providerId } = node.value;
      const epochs = await topologiesInForce(db, topology.network, now());
      const found = await drawsAround(
        db,
        epochs.map(({ topologyId }) => topologyId),
        providerId,
      );
      const [current, previous = null] = epochs.map(({ topologyId, epoch, holdsUntil }) => {
        const own = found.find((draw) => draw.topologyId === topologyId && draw.nodeId === providerId);
        return own ? { epoch, neighbors: own.neighbours, expires_at: holdsUntil } : null;
      });
      if (!current) {
        return reject('RESOURCE_NOT_FOUND', `${providerId} has not drawn in this epoch`, [
          { field: 'node_id', rule: 'a node that has drawn: POST /v1/fog/vrf/select has it draw' },
        ]);
      }
      const epochOf = new Map(epochs.map(({ topologyId, epoch }) => [topologyId, epoch]));
      const draws = found.map(({ topologyId, nodeId, neighbours }) => ({
        epoch: epochOf.get(topologyId) as number,
        nodeId,
        neighbours,
      }));
      const allowed = connectable(providerId, draws, current.epoch);
      const report = await topology.reported(providerId);
      return respond(200, {
        node_id: providerId,
        ...current,
        previous,
        connectable: allowed,
        connected: allowed.filter((nodeId) => report?.neighbours.includes(nodeId)),
        connected_at: report?.at ?? null,
      });
    },
  );
