import type { Pool } from 'pg';

/** Table `engine.node_routes`: which engine peer holds a connection to which node. */
export interface NodeRoutes {
  connected(providerId: string, peerId: string, at: string): Promise<void>;
  disconnected(providerId: string, peerId: string): Promise<void>;
  /** Drops what this engine peer left behind when it was killed. */
  clear(): Promise<void>;
}

export const createNodeRoutes = (pool: Pool, enginePeerId: string): NodeRoutes => ({
  async connected(providerId, peerId, at) {
    await pool.query(
      `insert into engine.node_routes (provider_id, peer_id, engine_peer_id, connected_at) values ($1, $2, $3, $4)
       on conflict (provider_id, engine_peer_id)
       do update set peer_id = excluded.peer_id, connected_at = excluded.connected_at`,
      [providerId, peerId, enginePeerId, at],
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
