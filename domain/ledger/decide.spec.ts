import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { specify } from '../../test/support/decider.ts';
import { toMicro } from '../money.ts';
import { decideEntry } from './decide.ts';
import { isEmpty, type LedgerEntry, transfer } from './entry.ts';
import { account, type LedgerEvent } from './events.ts';
import {
  balanceOf,
  emptyLedger,
  evolveLedger,
  excerptOf,
  foldLedger,
  type Ledger,
  mayOverdraw,
  total,
} from './fold.ts';

const { given } = specify<Ledger, LedgerEntry, LedgerEvent>({
  initial: emptyLedger,
  evolve: evolveLedger,
  decide: decideEntry,
});

const ALICE = account.available('alice');
const ESCROW = account.escrow('auction-1');

const credit = (amount: string, id = 'credit-1') =>
  transfer('credit', account.external, ALICE, toMicro(amount), id);
const hold = (amount: string, cause = 'auction-1@0') =>
  transfer('hold', ALICE, ESCROW, toMicro(amount), cause);

const posted = (entry: LedgerEntry): LedgerEvent => ({
  type: 'ledger.entry-posted',
  machineVersion: 1,
  ...entry,
});

describe('posting', () => {
  test('takes a balanced entry', () => {
    given()
      .when(credit('100'))
      .then(posted(credit('100')));
    given(posted(credit('100')))
      .when(hold('100'))
      .then(posted(hold('100')));
  });

  test('lets money in from outside and nowhere else below zero', () => {
    const { state } = given(posted(credit('100')));
    expect(balanceOf(state, account.external)).toBe(-100n);
    given(posted(credit('100')))
      .when(hold('101'))
      .thenRejects('INSUFFICIENT_BALANCE', /holds 100, needs 101/, [
        { field: ALICE, rule: 'balance ≥ 101 micro-units' },
      ]);
    for (const name of [ALICE, ESCROW, account.deposit('b'), account.stake('p'), account.slashed])
      expect(mayOverdraw(name), name).toBe(false);
  });

  test('judges an account by all postings of the entry together', () => {
    const entry: LedgerEntry = {
      entryId: 'both',
      kind: 'release',
      cause: 'x@0',
      postings: [
        { account: ALICE, amount: toMicro('-150') },
        { account: ALICE, amount: toMicro('60') },
        { account: ESCROW, amount: toMicro('90') },
      ],
    };
    given(posted(credit('100')))
      .when(entry)
      .then(posted(entry));
  });

  test('counts an outside credit once', () => {
    given(posted(credit('100')))
      .when(credit('100'))
      .thenRejects('CONFLICT', /already posted/);
    given(posted(credit('100')))
      .when(credit('100', 'credit-2'))
      .then(posted(credit('100', 'credit-2')));
  });

  test('throws on an entry that makes or loses money', () => {
    const unbalanced = { ...credit('100'), postings: credit('100').postings.slice(1) };
    expect(() => decideEntry(emptyLedger, unbalanced)).toThrow(/not balanced/);
  });

  test('knows an entry that moves nothing', () => {
    expect(isEmpty(hold('0'))).toBe(true);
    expect(isEmpty(hold('1'))).toBe(false);
  });
});

describe('the fold', () => {
  test('forgets accounts that are empty', () => {
    const { state } = given(posted(credit('100')), posted(hold('100')));
    expect(state.balances).toEqual({ external: '-100', [ESCROW]: '100' });
  });

  test('conservation: whatever is posted, Σ stays zero and only the outside owes', () => {
    const names = [account.external, ALICE, account.available('bob'), ESCROW, account.deposit('bid-1')];
    const moves = fc.array(fc.record({ from: fc.nat(4), to: fc.nat(4), amount: fc.bigInt(0n, 50n) }));
    fc.assert(
      fc.property(moves, (entries) => {
        let ledger = emptyLedger;
        for (const [index, { from, to, amount }] of entries.entries()) {
          const [source = '', target = ''] = [names[from], names[to]];
          const entry = transfer('hold', source, target, toMicro(amount), `cause@${index}`);
          const before = balanceOf(ledger, source);
          const decision = decideEntry(ledger, entry);
          const affordable = source === account.external || source === target || before >= amount;
          expect(decision.ok).toBe(affordable);
          if (decision.ok) ledger = decision.events.reduce(evolveLedger, ledger);
          expect(total(ledger)).toBe(0n);
          for (const name of names.slice(1)) expect(balanceOf(ledger, name)).toBeGreaterThanOrEqual(0n);
        }
      }),
      { numRuns: 300 },
    );
  });

  const accounts = fc.constantFrom(account.external, ALICE, account.available('bob'), ESCROW);
  const entries = fc.array(
    fc
      .tuple(accounts, accounts, fc.bigInt(1n, 50n), fc.nat(20))
      .map(([from, to, amount, id]) => transfer('credit', from, to, toMicro(amount), `credit-${id}`)),
  );

  test('of all events at once is the fold of one after the other, and leaves where it began as it was', () => {
    fc.assert(
      fc.property(entries, entries, (past, coming) => {
        const start = past.map(posted).reduce(evolveLedger, emptyLedger);
        const copy = structuredClone(start);
        const folded = foldLedger(start, coming.map(posted));
        expect(folded).toEqual(coming.map(posted).reduce(evolveLedger, start));
        expect(start).toEqual(copy);
      }),
    );
  });

  test('decides on an excerpt as on the whole', () => {
    fc.assert(
      fc.property(entries, entries, (past, [entry = credit('1')]) => {
        const ledger = foldLedger(emptyLedger, past.map(posted));
        const names = entry.postings.map((posting) => posting.account);
        expect(decideEntry(excerptOf(ledger, names, [entry.entryId]), entry)).toEqual(
          decideEntry(ledger, entry),
        );
      }),
    );
  });
});
