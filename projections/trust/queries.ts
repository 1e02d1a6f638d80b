import type { Evidence } from '../../domain/provider/opinion.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { evidenceOf } from './evidence.ts';
import { type TrustRow, trustTable } from './table.ts';

/** A provider's evidence: `fullOpinion` and `admits` of the domain make opinion and admission of it. */
export interface TrustRecord extends TrustRow {
  readonly evidence: Evidence;
  /** When evidence last arrived; the registration before the first. */
  readonly updatedAt: string;
}

/** Reading changes nothing: whatever time does to trust is computed by the caller, for the caller's instant. */
export const getTrust = async (db: Session, providerId: string): Promise<TrustRecord | null> => {
  const { rows } = await db.query<TrustRow>(
    `select ${selectList(trustTable)} from fog.trust where provider_id = $1`,
    [providerId],
  );
  const [row] = rows;
  return row ? { ...row, evidence: evidenceOf(row), updatedAt: row.evidenceAt ?? row.registeredAt } : null;
};
