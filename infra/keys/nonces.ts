import type { Pool } from 'pg';

export interface Nonces {
  /** Takes `nonce` for `purpose`, as often as the same purpose asks; false when another one took it before. */
  use(nonce: string, purpose: string): Promise<boolean>;
  /** Whether it was taken, for whatever purpose. */
  isUsed(nonce: string): Promise<boolean>;
}

/** Single-use nonces, remembered in `engine.nonces`. */
export const createNonces = (pool: Pool): Nonces => ({
  use: async (nonce, purpose) => {
    const { rowCount } = await pool.query(
      `insert into engine.nonces as taken (nonce, purpose) values ($1, $2)
       on conflict (nonce) do update set purpose = taken.purpose where taken.purpose = excluded.purpose`,
      [nonce, purpose],
    );
    return rowCount === 1;
  },
  isUsed: async (nonce) => {
    const { rowCount } = await pool.query('select from engine.nonces where nonce = $1', [nonce]);
    return rowCount === 1;
  },
});
