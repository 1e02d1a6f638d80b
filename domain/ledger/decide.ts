import { accept, type Decision } from '../decision.ts';
import { reject } from '../errors.ts';
import { toMicro, units } from '../money.ts';
import type { LedgerEntry } from './entry.ts';
import type { EntryPosted, LedgerEvent } from './events.ts';
import { balanceOf, type Ledger, mayOverdraw } from './fold.ts';

export const LEDGER_VERSION = 1;

const sumOf = (entry: LedgerEntry): bigint =>
  entry.postings.reduce((sum, each) => sum + units(each.amount), 0n);

/**
 * Posts one journal entry. Refuses an overdraft (`INSUFFICIENT_BALANCE`) and a credit whose id was seen (`CONFLICT`).
 * @throws Error when the postings do not sum to zero: money is made by a defect, never by a caller.
 */
export const decideEntry = (ledger: Ledger, entry: LedgerEntry): Decision<LedgerEvent> => {
  if (sumOf(entry) !== 0n) throw new Error(`ledger entry ${entry.entryId} is not balanced`);
  if (ledger.credits[entry.entryId]) return reject('CONFLICT', `${entry.entryId} is already posted`);
  const change = new Map<string, bigint>();
  for (const { account, amount } of entry.postings)
    change.set(account, (change.get(account) ?? 0n) + units(amount));
  for (const [account, delta] of change) {
    const after = balanceOf(ledger, account) + delta;
    if (delta < 0n && after < 0n && !mayOverdraw(account)) {
      return reject(
        'INSUFFICIENT_BALANCE',
        `${account} holds ${balanceOf(ledger, account)}, needs ${-delta}`,
        [{ field: account, rule: `balance ≥ ${toMicro(-delta)} micro-units` }],
      );
    }
  }
  const posted: EntryPosted = { type: 'ledger.entry-posted', machineVersion: LEDGER_VERSION, ...entry };
  return accept(posted);
};
