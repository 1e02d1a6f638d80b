import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type PredicateRow, predicatesTable } from './table.ts';

const SELECT = `select ${selectList(predicatesTable)} from fog.predicates`;

/** Circuits after a circuit id, in its order; or the one with an id. */
export const listPredicates = async (
  db: Session,
  {
    circuitId,
    after,
    limit,
  }: { readonly circuitId: string | null; readonly after: string | null; readonly limit: number },
): Promise<PredicateRow[]> => {
  const { rows } = await db.query<PredicateRow>(
    `${SELECT} where ($1::text is null or circuit_id = $1) and ($2::text is null or circuit_id > $2)
      order by circuit_id limit $3`,
    [circuitId, after, limit],
  );
  return rows;
};

/** Circuits that wait for their key: those that `principal` asked for first, and all. */
export const countUnderWay = async (
  db: Session,
  principal: string,
): Promise<{ readonly own: number; readonly all: number }> => {
  const { rows } = await db.query<{ own: number; all: number }>(
    `select count(*) filter (where requested_by = $1)::integer as own, count(*)::integer as all
       from fog.predicates where state in ('compiling', 'setting-up')`,
    [principal],
  );
  return rows[0] ?? { own: 0, all: 0 };
};
