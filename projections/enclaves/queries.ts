import type { Platform, PlatformLabel } from '../../domain/enclave/events.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type EnclaveRow, enclavesTable } from './table.ts';

const SELECT = `select ${selectList(enclavesTable)} from fog.enclaves`;

export const getEnclave = async (db: Session, enclaveId: string): Promise<EnclaveRow | null> => {
  const { rows } = await db.query<EnclaveRow>(`${SELECT} where enclave_id = $1`, [enclaveId]);
  return rows[0] ?? null;
};

/** The newest enclave that each of these providers has hosted: its module reached the node, for the node attested it. */
export const newestHosted = async (
  db: Session,
  providerIds: readonly string[],
): Promise<ReadonlyMap<string, Pick<EnclaveRow, 'codeHash' | 'jobId'>>> => {
  const { rows } = await db.query<Pick<EnclaveRow, 'providerId' | 'codeHash' | 'jobId'>>(
    `select hosted.* from unnest($1::text[]) wanted(provider_id)
      cross join lateral (
        select provider_id as "providerId", code_hash as "codeHash", job_id as "jobId"
          from fog.enclaves where provider_id = wanted.provider_id and attested_at is not null
         order by requested_at desc, enclave_id desc limit 1
      ) hosted`,
    [providerIds],
  );
  return new Map(rows.map(({ providerId, ...hosted }) => [providerId, hosted]));
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
