import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type TrustRow, trustTable } from './table.ts';

/** The evidence behind a provider's opinion; null for a provider that was never registered. */
export const getTrust = async (db: Session, providerId: string): Promise<TrustRow | null> => {
  const { rows } = await db.query<TrustRow>(
    `select ${selectList(trustTable)} from fog.trust where provider_id = $1`,
    [providerId],
  );
  return rows[0] ?? null;
};
