import { type Micro, toMicro, units } from '../money.ts';
import { account, type EntryPosted, type LedgerEvent } from './events.ts';

/** Balances that are not zero, and the outside credits seen, so that none counts twice. JSON-safe. */
export interface Ledger {
  readonly balances: Readonly<Record<string, Micro>>;
  readonly credits: Readonly<Record<string, true>>;
}

export const emptyLedger: Ledger = { balances: {}, credits: {} };

export const balanceOf = (ledger: Ledger, name: string): bigint =>
  units(ledger.balances[name] ?? toMicro(0n));

/** Credits come from outside and carry their own id; every other entry is as unique as the event that caused it. */
const isCredit = (event: EntryPosted): boolean => event.kind === 'credit' || event.kind === 'genesis';

/** Σ of all balances; zero after every event, or the log is broken. */
export const total = (ledger: Ledger): bigint =>
  Object.values(ledger.balances).reduce((sum, balance) => sum + units(balance), 0n);

export const evolveLedger = (ledger: Ledger, event: LedgerEvent): Ledger => {
  const balances = { ...ledger.balances };
  for (const { account: name, amount } of event.postings) {
    const next = units(balances[name] ?? toMicro(0n)) + units(amount);
    if (next === 0n) delete balances[name];
    else balances[name] = toMicro(next);
  }
  return {
    balances,
    credits: isCredit(event) ? { ...ledger.credits, [event.entryId]: true } : ledger.credits,
  };
};

/** Accounts that may go below zero: only the one money enters from. */
export const mayOverdraw = (name: string): boolean => name === account.external;
