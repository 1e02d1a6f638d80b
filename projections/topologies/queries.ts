import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type DrawRow, drawsTable, type TopologyRow, topologiesTable } from './table.ts';

/** An epoch whose beacon is fixed: nodes can draw. */
export type DrawableTopology = TopologyRow & {
  readonly candidateRoot: string;
  readonly candidateCount: number;
  readonly candidateSet: string;
  readonly beacon: string;
};

const SELECT = `select ${selectList(topologiesTable)} from fog.topologies`;
const SELECT_DRAWS = `select ${selectList(drawsTable)} from fog.neighbour_draws`;

/** Epochs whose draws hold at `at` (RFC 3339), newest first: the current one, and the one before it. */
export const topologiesInForce = async (
  db: Session,
  network: string,
  at: string,
): Promise<DrawableTopology[]> => {
  const { rows } = await db.query<DrawableTopology>(
    `${SELECT} where network = $1 and beacon is not null and starts_at <= $2::timestamptz
        and holds_until > $2::timestamptz order by starts_at desc, epoch desc limit 2`,
    [network, at],
  );
  return rows;
};

/** The epoch that will be drawn from next at `at`, if it is announced. */
export const nextTopology = async (db: Session, network: string, at: string): Promise<TopologyRow | null> => {
  const { rows } = await db.query<TopologyRow>(
    `${SELECT} where network = $1 and state in ('announced', 'committing', 'fixing')
        and ends_at > $2::timestamptz order by starts_at, epoch limit 1`,
    [network, at],
  );
  return rows[0] ?? null;
};

/** The epochs of that number that this log has fixed: more than one only where its length was changed. */
export const topologiesNumbered = async (
  db: Session,
  network: string,
  epoch: number,
): Promise<DrawableTopology[]> => {
  const { rows } = await db.query<DrawableTopology>(
    `${SELECT} where network = $1 and epoch = $2 and beacon is not null`,
    [network, epoch],
  );
  return rows;
};

export const getDraw = async (db: Session, topologyId: string, nodeId: string): Promise<DrawRow | null> => {
  const { rows } = await db.query<DrawRow>(`${SELECT_DRAWS} where topology_id = $1 and node_id = $2`, [
    topologyId,
    nodeId,
  ]);
  return rows[0] ?? null;
};

/** Draws in these epochs of or with one node. */
export const drawsAround = async (
  db: Session,
  topologyIds: readonly string[],
  nodeId: string,
): Promise<Pick<DrawRow, 'topologyId' | 'nodeId' | 'neighbours'>[]> => {
  const { rows } = await db.query<Pick<DrawRow, 'topologyId' | 'nodeId' | 'neighbours'>>(
    `select topology_id as "topologyId", node_id as "nodeId", neighbours from fog.neighbour_draws
      where topology_id = any($1) and (node_id = $2 or neighbours @> to_jsonb($2::text))`,
    [topologyIds, nodeId],
  );
  return rows;
};

/** Who drew whom in an epoch. */
export const listDraws = async (
  db: Session,
  topologyId: string,
): Promise<Pick<DrawRow, 'nodeId' | 'neighbours'>[]> => {
  const { rows } = await db.query<Pick<DrawRow, 'nodeId' | 'neighbours'>>(
    `select node_id as "nodeId", neighbours from fog.neighbour_draws where topology_id = $1 order by node_id`,
    [topologyId],
  );
  return rows;
};
