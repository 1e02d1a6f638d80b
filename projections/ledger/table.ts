import type { EntryKind } from '../../domain/ledger/events.ts';
import type { Micro } from '../../domain/money.ts';
import type { Table } from '../table.ts';

export interface AccountRow {
  /** `available:<principal>`, `escrow:<auction>`, … */
  readonly account: string;
  /** The principal whose money it is: of `available` by name, of escrow, deposit and stake by who paid in first. */
  readonly owner: string | null;
  readonly balance: Micro;
  readonly position: string;
}

/** One line of a journal entry. */
export interface PostingRow {
  /** Position of the entry in the log. */
  readonly position: string;
  /** Place within the entry, from 0. */
  readonly line: number;
  readonly account: string;
  readonly amount: Micro;
  readonly entryId: string;
  readonly kind: EntryKind;
  readonly cause: string;
  readonly at: string;
}

export const accountsTable: Table<AccountRow> = {
  name: 'ledger_accounts',
  key: ['account'],
  columns: { account: 'text', owner: 'text', balance: 'amount', position: 'position' },
  indexes: [['owner', 'balance']],
};

export const postingsTable: Table<PostingRow> = {
  name: 'ledger_postings',
  key: ['position', 'line'],
  columns: {
    position: 'position',
    line: 'integer',
    account: 'text',
    amount: 'amount',
    entryId: 'text',
    kind: 'text',
    cause: 'text',
    at: 'instant',
  },
  indexes: [['account', 'position']],
};
