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

/** A ledger that its owner alone holds, and may change. */
export interface MutableLedger extends Ledger {
  readonly balances: Record<string, Micro>;
  readonly credits: Record<string, true>;
}

/** Posts `event` in place: a ledger has an account per bid, and copying them all for every entry would cost by their number. */
export const postTo = (ledger: MutableLedger, event: LedgerEvent): void => {
  const { balances, credits } = ledger;
  for (const { account: name, amount } of event.postings) {
    const next = units(balances[name] ?? toMicro(0n)) + units(amount);
    if (next === 0n) delete balances[name];
    else balances[name] = toMicro(next);
  }
  if (isCredit(event)) credits[event.entryId] = true;
};

/** The ledger after `events`: a new one, which the caller owns. */
export const foldLedger = (ledger: Ledger, events: readonly LedgerEvent[]): MutableLedger => {
  const next = { balances: { ...ledger.balances }, credits: { ...ledger.credits } };
  for (const event of events) postTo(next, event);
  return next;
};

export const evolveLedger = (ledger: Ledger, event: LedgerEvent): Ledger => foldLedger(ledger, [event]);

/** The part of a ledger that these accounts and entries can meet. */
export const excerptOf = (
  ledger: Ledger,
  accounts: Iterable<string>,
  entryIds: Iterable<string>,
): MutableLedger => {
  const excerpt: MutableLedger = { balances: {}, credits: {} };
  for (const name of accounts) {
    const balance = ledger.balances[name];
    if (balance !== undefined) excerpt.balances[name] = balance;
  }
  for (const id of entryIds) if (ledger.credits[id]) excerpt.credits[id] = true;
  return excerpt;
};

/** Accounts that may go below zero: only the one money enters from. */
export const mayOverdraw = (name: string): boolean => name === account.external;
