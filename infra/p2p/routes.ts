import type { Pool } from 'pg';
import type { NeighbourContact } from '../../domain/mesh/messages.ts';
import type { WorkerLease } from './worker-lease.ts';
import type { LiveWorker } from './workers.ts';

/** Table `engine.node_routes`: which worker holds a connection to which node, as that worker writes it. */
export interface NodeRoutes {
  connected(providerId: string, peerId: string, addresses: readonly string[], at: string): Promise<void>;
  disconnected(providerId: string, peerId: string): Promise<void>;
}

/** A connection counts while the worker that holds it lives, in the life in which it was made. */
const LIVE_ROUTES = `engine.node_routes join engine.workers on
  workers.peer_id = engine_peer_id and workers.instance = node_routes.instance and alive_until > clock_timestamp()`;

/** How long a node takes at most to come back to an engine that was away: its longest back-off and a dial, 10 s each. */
const COMES_BACK = `interval '20 seconds'`;
/** Nodes are given the addresses of all engines: this long after the last one that a node knew has gone, it knows others. */
const EXCUSED = `interval '10 minutes'`;

/**
 * SQL of `Heartbeats.hearableMs`, given that of a provider id. A node knows the workers that it has joined; where it knows
 * none, or none that lives or lived lately, any worker counts.
 */
export const hearableMsSql = (providerId: string): string => `(
  select greatest(0, coalesce(
    extract(epoch from clock_timestamp() - min(awake_since) - ${COMES_BACK}) * 1000, 0))::float8
  from engine.workers listening
  where alive_until > clock_timestamp() and (
    exists (select from engine.node_routes where provider_id = ${providerId} and engine_peer_id = listening.peer_id)
    or not exists (
      select from engine.node_routes join engine.workers known on known.peer_id = engine_peer_id
      where provider_id = ${providerId} and known.alive_until > clock_timestamp() - ${EXCUSED})))`;

/** A node that beat within this time, whichever worker heard it, was there just now. */
const JUST_NOW = `interval '1 minute'`;

/**
 * By worker that has just begun to serve, how many nodes that were there just now and know it have yet to come back to it.
 * Nobody waits longer than a node takes for that. Until then another worker that ends may leave them without any.
 */
export const awaitedNodes = async (
  pool: Pool,
): Promise<readonly { readonly index: number; readonly nodes: number }[]> => {
  const { rows } = await pool.query<{ index: number; nodes: number }>(
    `select index, count(*)::int as nodes from engine.workers
     join engine.node_routes on engine_peer_id = workers.peer_id
       and node_routes.instance is distinct from workers.instance
     join engine.heartbeats using (provider_id)
     where alive_until > clock_timestamp() and awake_since > clock_timestamp() - ${COMES_BACK}
       and last_seen > clock_timestamp() - ${JUST_NOW}
     group by index order by index`,
  );
  return rows;
};

/** Where other nodes reach the nodes of `providerIds` that are joined now and said so. */
export const addressesOf = async (
  pool: Pool,
  providerIds: readonly string[],
): Promise<readonly NeighbourContact[]> => {
  const { rows } = await pool.query<NeighbourContact>(
    `select distinct on (provider_id) provider_id as "nodeId", addresses from ${LIVE_ROUTES}
     where provider_id = any($1) and addresses <> '[]' order by provider_id, connected_at desc`,
    [providerIds],
  );
  return rows;
};

/** Provider ids of the nodes that any worker holds a connection to. */
export const connectedNodes = async (pool: Pool): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ provider_id: string }>(
    `select distinct provider_id from ${LIVE_ROUTES} order by provider_id`,
  );
  return rows.map((row) => row.provider_id);
};

/** The workers that hold a connection to a node, in no order. */
export const routesTo = async (pool: Pool, providerId: string): Promise<readonly LiveWorker[]> => {
  const { rows } = await pool.query<LiveWorker>(
    `select index, workers.peer_id as "peerId", address from ${LIVE_ROUTES}
     where provider_id = $1 order by random()`,
    [providerId],
  );
  return rows;
};

export const createNodeRoutes = (
  pool: Pool,
  enginePeerId: string,
  { instance }: Pick<WorkerLease, 'instance'>,
): NodeRoutes => ({
  async connected(providerId, peerId, addresses, at) {
    await pool.query(
      `insert into engine.node_routes (provider_id, peer_id, engine_peer_id, connected_at, addresses, instance)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (provider_id, engine_peer_id) do update set
         peer_id = excluded.peer_id, connected_at = excluded.connected_at, addresses = excluded.addresses,
         instance = excluded.instance`,
      [providerId, peerId, enginePeerId, at, JSON.stringify(addresses), instance],
    );
  },

  async disconnected(providerId, peerId) {
    await pool.query(
      `update engine.node_routes set instance = null
       where provider_id = $1 and peer_id = $2 and engine_peer_id = $3 and instance = $4`,
      [providerId, peerId, enginePeerId, instance],
    );
  },
});
