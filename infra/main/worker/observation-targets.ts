import type { Pool } from 'pg';
import type { ObservationTarget } from '../../../domain/observation/terms.ts';
import { mayConnect, type VerifiedDraw } from '../../../domain/topology/accept-peer.ts';
import { newestHosted } from '../../../projections/enclaves/queries.ts';
import { getProviders } from '../../../projections/providers/queries.ts';
import { listDraws, topologiesInForce } from '../../../projections/topologies/queries.ts';
import { neighboursReported } from '../../p2p/heartbeats.ts';

export interface ObservationTargetDeps {
  readonly pool: Pool;
  readonly network: string;
  /** Provider ids within reach of any worker. */
  readonly connected: () => Promise<readonly string[]>;
  readonly now: () => string;
}

/**
 * Providers that have hosted an enclave, with the module of the newest one to keep, and those who may observe them: nodes
 * that the draws in force make their neighbours and that say themselves that they are connected. What the provider says
 * of its neighbours does not count, or it could name its friends.
 */
export const createObservationTargets =
  ({ pool, network, connected, now }: ObservationTargetDeps) =>
  async (): Promise<readonly ObservationTarget[]> => {
    const near = await connected();
    const epochs = await topologiesInForce(pool, network, now());
    const [current] = epochs;
    if (!current) return [];
    const draws = new Map<string, VerifiedDraw[]>();
    for (const { topologyId, epoch } of epochs) {
      for (const { nodeId, neighbours } of await listDraws(pool, topologyId)) {
        draws.set(nodeId, [...(draws.get(nodeId) ?? []), { epoch, nodeId, neighbours }]);
      }
    }
    const drawsOf = (nodeId: string): VerifiedDraw[] => draws.get(nodeId) ?? [];
    const [reports, hosted, nodes] = await Promise.all([
      neighboursReported(pool, near),
      newestHosted(pool, near),
      getProviders(pool, near),
    ]);
    const isNeighbour = (provider: string, other: string): boolean =>
      reports.get(other)?.neighbours.includes(provider) === true &&
      mayConnect(provider, other, [...drawsOf(provider), ...drawsOf(other)], current.epoch);
    return nodes.flatMap(({ providerId, publicKey, owner }) => {
      const newest = hosted.get(providerId);
      if (!newest) return [];
      const neighbours = nodes
        .filter((other) => isNeighbour(providerId, other.providerId))
        .map((other) => ({ id: other.providerId, key: other.publicKey, owner: other.owner }));
      const { codeHash: artifact, jobId } = newest;
      return [{ providerId, providerKey: publicKey, owner, jobId, artifact, neighbours }];
    });
  };
