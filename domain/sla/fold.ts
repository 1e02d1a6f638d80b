import { add, type Micro, ZERO } from '../money.ts';
import type { SlaEvent } from './events.ts';

/** What a provider owes for one job by the proofs so far, and what of it was paid. */
export interface SlaAccount {
  readonly due: Micro;
  readonly paid: Micro;
  /** Due and not paid. */
  readonly outstanding: Micro;
}

export const noCredit: SlaAccount = { due: ZERO, paid: ZERO, outstanding: ZERO };

export const evolveSla = (account: SlaAccount, { due, paid, outstanding }: SlaEvent): SlaAccount => ({
  due,
  paid: add(account.paid, paid),
  outstanding,
});
