import type { Platform, PlatformLabel } from '../../domain/enclave/events.ts';
import type { InfrastructureType } from '../../domain/tiers.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type ProviderRow, providersTable } from './table.ts';

const SELECT = `select ${selectList(providersTable)} from fog.providers`;

export const getProvider = async (db: Session, providerId: string): Promise<ProviderRow | null> => {
  const { rows } = await db.query<ProviderRow>(`${SELECT} where provider_id = $1`, [providerId]);
  return rows[0] ?? null;
};

/** The given providers; unknown ids are left out. */
export const getProviders = async (db: Session, providerIds: readonly string[]): Promise<ProviderRow[]> => {
  const { rows } = await db.query<ProviderRow>(`${SELECT} where provider_id = any($1) order by provider_id`, [
    providerIds,
  ]);
  return rows;
};

export const listProviders = async (
  db: Session,
  { owner, listed }: { readonly owner?: string; readonly listed?: boolean } = {},
): Promise<ProviderRow[]> => {
  const { rows } = await db.query<ProviderRow>(
    `${SELECT} where ($1::text is null or owner = $1) and (not $2 or state = 'listed') order by provider_id`,
    [owner ?? null, listed ?? false],
  );
  return rows;
};

/** Infrastructure types some listed provider offers: what the platinum rule counts (settled 14). */
export const offeredTypes = async (db: Session): Promise<InfrastructureType[]> => {
  const { rows } = await db.query<{ type: InfrastructureType }>(
    `select distinct infrastructure_type as type from fog.providers where state = 'listed' order by type`,
  );
  return rows.map(({ type }) => type);
};

export interface PlatformCount {
  readonly platform: Platform;
  readonly label: PlatformLabel;
  /** Providers whose host attestation of that platform is valid at the given instant and that are not lost. */
  readonly providers: number;
}

/** Which enclave platforms are on offer at `at` (RFC 3339). */
export const platformCounts = async (db: Session, at: string): Promise<PlatformCount[]> => {
  const { rows } = await db.query<PlatformCount>(
    `select attestation.platform, attestation.label, count(*)::integer as providers
       from fog.providers
       cross join lateral jsonb_to_recordset(attestations)
         as attestation(platform text, label text, "expiresAt" timestamptz)
      where attestation."expiresAt" > $1::timestamptz and presence is distinct from 'lost'
      group by attestation.platform, attestation.label
      order by attestation.platform, attestation.label`,
    [at],
  );
  return rows;
};
