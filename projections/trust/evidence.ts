import type { Evidence } from '../../domain/provider/opinion.ts';
import type { TrustRow } from './table.ts';

type EvidenceColumns = Pick<
  TrustRow,
  'positive' | 'negative' | 'rememberedPositive' | 'rememberedNegative' | 'evidenceAt'
>;

/** The evidence of a row, as the trust policy takes it. */
export const evidenceOf = (row: EvidenceColumns): Evidence => ({
  positive: row.positive,
  negative: row.negative,
  remembered: { positive: row.rememberedPositive, negative: row.rememberedNegative },
  updatedAt: row.evidenceAt,
});

/** The columns of `evidence`. */
export const evidenceColumns = ({
  positive,
  negative,
  remembered,
  updatedAt,
}: Evidence): EvidenceColumns => ({
  positive,
  negative,
  rememberedPositive: remembered.positive,
  rememberedNegative: remembered.negative,
  evidenceAt: updatedAt,
});
