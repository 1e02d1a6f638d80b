import type { Pool } from 'pg';
import type { Presence } from '../../domain/mesh/presence.ts';
import type { Heartbeats } from '../../domain/ports/node-gateway.ts';
import type { ToldCapacity } from '../../domain/queue/told-capacity.ts';
import { hearableMsSql } from './routes.ts';

/** A provider's newest beat and the presence that its stream was last told; null before the first time. */
export interface PresenceRow {
  readonly providerId: string;
  readonly lastSeen: string;
  readonly told: Presence | null;
  /** As `Heartbeats.hearableMs`. */
  readonly hearableMs: number;
}

export interface HeartbeatTable extends Heartbeats {
  /** The newest beat of every provider, but for those told lost that have not beaten for an hour. */
  beats(): Promise<readonly PresenceRow[]>;
  told(providerId: string, presence: Presence): Promise<void>;
  /** What the node says it has for runs; null of one that does not say. */
  tellCapacity(providerId: string, capacity: ToldCapacity | null): Promise<void>;
}

/** Whom a node says it is connected to, and when it said so. */
export interface NeighbourReport {
  readonly neighbours: readonly string[];
  readonly at: string;
}

/** The newest report of each of these nodes that has made one, whichever worker heard it. */
export const neighboursReported = async (
  pool: Pool,
  providerIds: readonly string[],
): Promise<ReadonlyMap<string, NeighbourReport>> => {
  const { rows } = await pool.query<NeighbourReport & { providerId: string }>(
    `select provider_id as "providerId", neighbours, neighbours_at as at from engine.heartbeats
     where provider_id = any($1) and neighbours is not null`,
    [providerIds],
  );
  return new Map(rows.map(({ providerId, ...report }) => [providerId, report]));
};

/** Table `engine.heartbeats`, shared by all workers. A late beat never moves the clock back. */
export const createHeartbeats = (pool: Pool): HeartbeatTable => ({
  // Its commit does not wait for the disk: the next beat says again what a crash of the server may take back.
  async record(providerId, at, neighbours) {
    await pool.query({
      name: 'heartbeat',
      text: `with quick as (select set_config('synchronous_commit', 'off', true))
       insert into engine.heartbeats as known (provider_id, last_seen, neighbours, neighbours_at)
       select $1, $2::timestamptz, $3::jsonb, case when $3::jsonb is null then null else $2::timestamptz end from quick
       on conflict (provider_id) do update set
         last_seen = greatest(known.last_seen, excluded.last_seen),
         neighbours = coalesce(excluded.neighbours, known.neighbours),
         neighbours_at = coalesce(excluded.neighbours_at, known.neighbours_at)`,
      values: [providerId, at, neighbours === undefined ? null : JSON.stringify(neighbours)],
    });
  },

  async lastSeen(providerId) {
    const { rows } = await pool.query<{ last_seen: string }>(
      'select last_seen from engine.heartbeats where provider_id = $1',
      [providerId],
    );
    return rows[0]?.last_seen ?? null;
  },

  async hearableMs(providerId) {
    const { rows } = await pool.query<{ ms: number }>(`select ${hearableMsSql('$1')} as ms`, [providerId]);
    return rows[0]?.ms ?? 0;
  },

  async beats() {
    const { rows } = await pool.query<PresenceRow>({
      name: 'heartbeats',
      text: `select provider_id as "providerId", last_seen as "lastSeen", presence as told,
         ${hearableMsSql('heartbeats.provider_id')} as "hearableMs"
       from engine.heartbeats
       where presence is distinct from 'lost' or last_seen > now() - interval '1 hour' order by provider_id`,
    });
    return rows;
  },

  async told(providerId, presence) {
    await pool.query('update engine.heartbeats set presence = $2 where provider_id = $1', [
      providerId,
      presence,
    ]);
  },

  async tellCapacity(providerId, capacity) {
    await pool.query('update engine.heartbeats set capacity = $2 where provider_id = $1', [
      providerId,
      capacity && JSON.stringify(capacity),
    ]);
  },
});
