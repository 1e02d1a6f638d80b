import { hexToBytes } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import type { EpochInForce, NeighbourhoodReply } from '../../../domain/mesh/messages.ts';
import { commitmentOf } from '../../../domain/topology/commitment.ts';
import { selectionOf } from '../../../domain/topology/selection.ts';
import { selectionToJson } from '../../../domain/topology/selection-json.ts';
import {
  type DrawableTopology,
  getDraw,
  topologiesInForce,
} from '../../../projections/topologies/queries.ts';
import { addressesOf } from '../../p2p/routes.ts';
import type { CandidateSets } from '../../topology/candidate-sets.ts';

export interface NeighbourhoodDeps {
  readonly pool: Pool;
  readonly sets: Pick<CandidateSets, 'load'>;
  readonly network: string;
  readonly now: () => string;
}

/** What a node is told of its neighbours. From read models: a node that hears too little yet asks again. */
export const createNeighbourhoods = ({ pool, sets, network, now }: NeighbourhoodDeps) => {
  const inForce = async (topology: DrawableTopology, nodeId: string): Promise<EpochInForce> => {
    const { epoch, beacon, candidateRoot, candidateCount, candidateSet } = topology;
    const facts = { network, epoch, beacon, candidateRoot, candidateCount };
    const draw = await getDraw(pool, topology.topologyId, nodeId);
    if (!draw) return { ...facts, selection: null };
    const set = await sets.load(candidateSet, candidateRoot);
    const evaluation = { output: hexToBytes(draw.output), proof: hexToBytes(draw.proof) };
    const selection = selectionOf(commitmentOf(facts), set, nodeId, evaluation);
    return { ...facts, selection: selectionToJson(selection) };
  };

  return async (nodeId: string): Promise<NeighbourhoodReply> => {
    const topologies = await topologiesInForce(pool, network, now());
    const epochs = await Promise.all(topologies.map((topology) => inForce(topology, nodeId)));
    const drawn = epochs.flatMap(({ selection }) => selection?.neighbors ?? []);
    const contacts = await addressesOf(pool, [...new Set(drawn.map(({ node_id }) => node_id))]);
    return { type: 'neighbourhood', epochs, contacts };
  };
};
