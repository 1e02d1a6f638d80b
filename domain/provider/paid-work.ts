import { type Micro, toMicro, units } from '../money.ts';

/** Work of a provider: who pays, and how much was promised for it. */
export interface PaidWork {
  readonly payer: string;
  readonly fee: Micro;
}

/** What a payer's jobs with a provider come to, each as if it were the first. */
export interface KnownPayer {
  readonly payer: string;
  readonly weight: number;
}

/** Fee from which on delivered work is a whole item of evidence: ten times the least ceiling of an auction. */
const FULL_EVIDENCE_FEE = toMicro('1000');
/** Payers remembered; those that came back last stay. */
const PAYERS_REMEMBERED = 1000;
/** Share that a job counts for however often its payer came before. */
const LEAST_OF_A_PAYER = 1 / 3;
/** Decimal places of a weight: the log holds no longer fractions. */
const PLACES = 1e6;

/** A cheap job tells little: 0 to 1, in proportion to the fee. */
export const priceWeight = ({ fee }: Pick<PaidWork, 'fee'>): number =>
  units(fee) >= units(FULL_EVIDENCE_FEE) ? 1 : Number(units(fee)) / Number(units(FULL_EVIDENCE_FEE));

/**
 * What delivered work counts as evidence. The second whole job of a payer counts half, later ones a third: eight items,
 * which full standing takes, are quick to get from eight payers and take 22 jobs of one. It stays a third because no
 * fault counts less for its payer: the record of who works for loyal customers must not end in its few losses.
 */
export const paidWeight = ({ payer, fee }: PaidWork, known: readonly KnownPayer[]): number => {
  const before = known.find((each) => each.payer === payer)?.weight ?? 0;
  return Math.round(priceWeight({ fee }) * Math.max(LEAST_OF_A_PAYER, 1 / (1 + before)) * PLACES) / PLACES;
};

/** The payers after one more job. */
export const withPayer = (known: readonly KnownPayer[], { payer, fee }: PaidWork): readonly KnownPayer[] => {
  const before = known.find((each) => each.payer === payer)?.weight ?? 0;
  const others = known.filter((each) => each.payer !== payer);
  return [...others, { payer, weight: before + priceWeight({ fee }) }].slice(-PAYERS_REMEMBERED);
};
