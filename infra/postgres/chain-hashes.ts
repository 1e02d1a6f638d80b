import type { Pool } from 'pg';

const EMPTY_LOG = '0'.repeat(64);

/** Hex chain hashes of the log at the given positions; position 0 stands for the empty log. */
export const createChainHashes =
  (pool: Pool) =>
  async (positions: readonly bigint[]): Promise<ReadonlyMap<bigint, string>> => {
    const hashes = new Map<bigint, string>([[0n, EMPTY_LOG]]);
    if (positions.length === 0) return hashes;
    const { rows } = await pool.query<{ position: bigint; hash: string }>(
      `select position, encode(hash, 'hex') as hash from log.events where position = any($1::bigint[])`,
      [positions.map(String)],
    );
    for (const { position, hash } of rows) hashes.set(position, hash);
    return hashes;
  };
