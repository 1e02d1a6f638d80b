import type { Pool } from 'pg';

export interface Nonces {
  /** Takes `nonce` for `purpose`; false when it was taken before, for whatever purpose. */
  use(nonce: string, purpose: string): Promise<boolean>;
  /** Whether it was taken, for whatever purpose. */
  isUsed(nonce: string): Promise<boolean>;
}

/** Single-use nonces, remembered in `engine.nonces`. */
export const createNonces = (pool: Pool): Nonces => ({
  use: async (nonce, purpose) => {
    const { rowCount } = await pool.query(
      'insert into engine.nonces (nonce, purpose) values ($1, $2) on conflict do nothing',
      [nonce, purpose],
    );
    return rowCount === 1;
  },
  isUsed: async (nonce) => {
    const { rowCount } = await pool.query('select from engine.nonces where nonce = $1', [nonce]);
    return rowCount === 1;
  },
});
