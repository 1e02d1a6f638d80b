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
