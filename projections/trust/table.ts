import type { EvidenceReason } from '../../domain/provider/events.ts';
import type { Table } from '../table.ts';

/** The evidence behind a provider's opinion; the opinion itself is derived at the query, by the policy of the day. */
export interface TrustRow {
  readonly providerId: string;
  readonly owner: string;
  /** Undecayed sums over all evidence. */
  readonly positive: number;
  readonly negative: number;
  /** Evidence items counted, by reason. */
  readonly reasons: Readonly<Partial<Record<EvidenceReason, number>>>;
  readonly items: number;
  /** Flags as the log raised and cleared them. */
  readonly uncertain: boolean;
  readonly low: boolean;
  /** When evidence last arrived; the registration before the first. */
  readonly updatedAt: string;
  readonly position: string;
}

export const trustTable: Table<TrustRow> = {
  name: 'trust',
  key: ['providerId'],
  columns: {
    providerId: 'text',
    owner: 'text',
    positive: 'real',
    negative: 'real',
    reasons: 'json',
    items: 'integer',
    uncertain: 'boolean',
    low: 'boolean',
    updatedAt: 'instant',
    position: 'position',
  },
};
