import type { Platform, PlatformLabel } from '../../domain/enclave/events.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type EnclaveRow, enclavesTable } from './table.ts';

const SELECT = `select ${selectList(enclavesTable)} from fog.enclaves`;

export const getEnclave = async (db: Session, enclaveId: string): Promise<EnclaveRow | null> => {
  const { rows } = await db.query<EnclaveRow>(`${SELECT} where enclave_id = $1`, [enclaveId]);
  return rows[0] ?? null;
};

export const listEnclavesOfJob = async (db: Session, jobId: string): Promise<EnclaveRow[]> => {
  const { rows } = await db.query<EnclaveRow>(`${SELECT} where job_id = $1 order by enclave_id`, [jobId]);
  return rows;
};

/** Enclaves that exist now, by platform and label (`null` until attested). */
export interface EnclaveCount {
  readonly platform: Platform;
  readonly label: PlatformLabel | null;
  readonly count: number;
}

export const countActiveEnclaves = async (db: Session): Promise<EnclaveCount[]> => {
  const { rows } = await db.query<EnclaveCount>(
    `select platform, label, count(*)::integer as count from fog.enclaves
      where state in ('initializing', 'created', 'attested', 'running', 'finished', 'destroying')
      group by platform, label order by platform, label`,
  );
  return rows;
};
