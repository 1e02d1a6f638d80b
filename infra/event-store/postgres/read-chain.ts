import type { Pool } from 'pg';
import type { ChainEntry } from '../chain.ts';

type ChainRow = Omit<ChainEntry, 'position' | 'revision'> & {
  readonly position: string | bigint;
  readonly revision: string | bigint;
};

/** The stored rows after a position, exactly as they lie in the table, for the audit. */
export const readChain = async (pool: Pool, after: bigint, limit: number): Promise<ChainEntry[]> => {
  const { rows } = await pool.query<ChainRow>({
    name: 'log-chain',
    text: `select position, stream, revision, type, envelope, encode(hash, 'hex') as hash
             from log.events where position > $1 order by position limit $2`,
    values: [after, limit],
  });
  return rows.map((row) => ({ ...row, position: BigInt(row.position), revision: BigInt(row.revision) }));
};
