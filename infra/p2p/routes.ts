import type { Pool } from 'pg';
import type { NeighbourContact } from '../../domain/mesh/messages.ts';

/** Table `engine.node_routes`: which engine peer holds a connection to which node. */
export interface NodeRoutes {
  connected(providerId: string, peerId: string, addresses: readonly string[], at: string): Promise<void>;
  disconnected(providerId: string, peerId: string): Promise<void>;
  /** Drops what this engine peer left behind when it was killed. */
  clear(): Promise<void>;
}

/** Where other nodes reach the nodes of `providerIds` that are joined now and said so. */
export const addressesOf = async (
  pool: Pool,
  providerIds: readonly string[],
): Promise<readonly NeighbourContact[]> => {
  const { rows } = await pool.query<NeighbourContact>(
    `select distinct on (provider_id) provider_id as "nodeId", addresses from engine.node_routes
     where provider_id = any($1) and addresses <> '[]' order by provider_id, connected_at desc`,
    [providerIds],
  );
  return rows;
};

export const createNodeRoutes = (pool: Pool, enginePeerId: string): NodeRoutes => ({
  async connected(providerId, peerId, addresses, at) {
    await pool.query(
      `insert into engine.node_routes (provider_id, peer_id, engine_peer_id, connected_at, addresses)
       values ($1, $2, $3, $4, $5)
       on conflict (provider_id, engine_peer_id) do update set
         peer_id = excluded.peer_id, connected_at = excluded.connected_at, addresses = excluded.addresses`,
      [providerId, peerId, enginePeerId, at, JSON.stringify(addresses)],
    );
  },

  async disconnected(providerId, peerId) {
    await pool.query(
      'delete from engine.node_routes where provider_id = $1 and peer_id = $2 and engine_peer_id = $3',
      [providerId, peerId, enginePeerId],
    );
  },

  async clear() {
    await pool.query('delete from engine.node_routes where engine_peer_id = $1', [enginePeerId]);
  },
});
