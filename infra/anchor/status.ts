import type { Pool } from 'pg';
import type { AnchorTarget } from './anchors.ts';

/** What the anchoring process says of itself. */
export interface AnchoringStatus {
  /** Null until a chain was reached. */
  readonly target: AnchorTarget | null;
  /** What keeps it from anchoring, in words for an operator; null for nothing. */
  readonly fault: string | null;
  /** When the oldest head that is under way was chosen; null when none is. */
  readonly openSince: string | null;
}

/** Notes what keeps the process from anchoring, or that nothing does. Writes only what is new. */
export const reportAnchoring = async (
  pool: Pool,
  target: AnchorTarget | null,
  fault: string | null,
  at: string,
): Promise<void> => {
  await pool.query(
    `insert into log.anchoring as said (chain, contract, simulated, fault, changed_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do update
        set chain = excluded.chain, contract = excluded.contract, simulated = excluded.simulated,
            fault = excluded.fault, changed_at = excluded.changed_at
      where (said.chain, said.contract, said.fault) is distinct from (excluded.chain, excluded.contract, excluded.fault)`,
    [target?.chain ?? null, target?.contract ?? null, target?.simulated ?? null, fault, at],
  );
};

/** Null before the process said anything. */
export const anchoringStatus = async (pool: Pick<Pool, 'query'>): Promise<AnchoringStatus | null> => {
  const { rows } = await pool.query<{
    chain: string | null;
    contract: string | null;
    simulated: boolean | null;
    fault: string | null;
    openSince: string | null;
  }>(
    `select chain, contract, simulated, fault,
            (select min(begun_at) from log.anchors anchor
              where (anchor.chain, anchor.contract) = (said.chain, said.contract)
                and state in ('pending', 'sent')) as "openSince"
       from log.anchoring said`,
  );
  const [row] = rows;
  if (!row) return null;
  const { chain, contract, simulated, fault, openSince } = row;
  const target =
    chain === null || contract === null || simulated === null ? null : { chain, contract, simulated };
  return { target, fault, openSince };
};
