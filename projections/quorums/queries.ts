import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type QuorumRow, quorumsTable } from './table.ts';

const SELECT = `select ${selectList(quorumsTable)} from fog.quorums`;

export const getQuorum = async (db: Session, quorumId: string): Promise<QuorumRow | null> => {
  const { rows } = await db.query<QuorumRow>(`${SELECT} where quorum_id = $1`, [quorumId]);
  return rows[0] ?? null;
};

/** Quorums that serve now, newest first; `participant` limits them to those a principal has a member in. */
export const listActiveQuorums = async (
  db: Session,
  { participant, limit }: { readonly participant?: string; readonly limit: number },
): Promise<QuorumRow[]> => {
  const { rows } = await db.query<QuorumRow>(
    `${SELECT} where state in ('formed', 'reforming', 'degraded') and ($1::text is null or members @> jsonb_build_array(jsonb_build_object('owner', $1)))
      order by formed_at desc, quorum_id limit $2`,
    [participant ?? null, limit],
  );
  return rows;
};

/** Distinct values among the members, per failure domain. */
export interface Diversity {
  readonly owner: number;
  readonly type: number;
  readonly asn: number;
  readonly region: number;
}

export const diversityOf = ({ members }: Pick<QuorumRow, 'members'>): Diversity => ({
  owner: new Set(members.map((member) => member.owner)).size,
  type: new Set(members.map((member) => member.infrastructureType)).size,
  asn: new Set(members.map((member) => member.asn)).size,
  region: new Set(members.map((member) => member.region)).size,
});
