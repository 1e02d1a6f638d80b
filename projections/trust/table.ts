import type { EvidenceReason } from '../../domain/provider/events.ts';
import type { Table } from '../table.ts';

/** The evidence behind a provider's opinion; the opinion itself is derived at the query, by the policy of the day. */
export interface TrustRow {
  readonly providerId: string;
  readonly owner: string;
  /** Undecayed sums over all evidence. */
  readonly positive: number;
  readonly negative: number;
  /** What forgetting leaves of them, as of the last item. */
  readonly rememberedPositive: number;
  readonly rememberedNegative: number;
  /** Items counted, by reason. */
  readonly reasons: Readonly<Partial<Record<EvidenceReason, number>>>;
  readonly items: number;
  /** Flags as the log raised and cleared them. */
  readonly uncertain: boolean;
  readonly low: boolean;
  /** A bond stands for it. */
  readonly bonded: boolean;
  /** When the last item arrived; null before the first. */
  readonly evidenceAt: string | null;
  readonly registeredAt: string;
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
    rememberedPositive: 'real',
    rememberedNegative: 'real',
    reasons: 'json',
    items: 'integer',
    uncertain: 'boolean',
    low: 'boolean',
    bonded: 'boolean',
    evidenceAt: 'instant',
    registeredAt: 'instant',
    position: 'position',
  },
};
