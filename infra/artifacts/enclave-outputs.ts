import type { Pool } from 'pg';

/** The output that the node of an enclave stored in its submitter's name. */
export interface EnclaveOutputs {
  /** Notes it; false where the enclave has stored another one. */
  claim(enclaveId: string, sha256: string): Promise<boolean>;
}

export const createEnclaveOutputs = (pool: Pick<Pool, 'query'>): EnclaveOutputs => ({
  claim: async (enclaveId, sha256) => {
    const { rowCount } = await pool.query(
      `insert into engine.enclave_outputs as held (enclave_id, sha256) values ($1, $2)
       on conflict (enclave_id) do update set sha256 = held.sha256 where held.sha256 = excluded.sha256`,
      [enclaveId, sha256],
    );
    return rowCount === 1;
  },
});
