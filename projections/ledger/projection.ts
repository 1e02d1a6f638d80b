import type { RecordedEvent } from '../../domain/event.ts';
import type { EntryPosted, Posting } from '../../domain/ledger/events.ts';
import { toMicro, units } from '../../domain/money.ts';
import type { Projection } from '../projection.ts';
import { checkMembers, tableDdl, writeRows } from '../table.ts';
import { type AccountRow, accountsTable, type PostingRow, postingsTable } from './table.ts';

/** What a batch adds: `balance` of a row is the change. */
export interface LedgerChange {
  readonly accounts: readonly AccountRow[];
  readonly postings: readonly PostingRow[];
}

const AVAILABLE = 'available:';
/** Accounts that hold a principal's money for a purpose. */
const HELD = ['escrow:', 'deposit:', 'stake:', 'bond:'];

const ownerOf = (account: string, payer: string | null): string | null => {
  if (account.startsWith(AVAILABLE)) return account.slice(AVAILABLE.length);
  return HELD.some((prefix) => account.startsWith(prefix)) ? payer : null;
};

/** The principal whose available money an entry takes; null where it is none or not one. */
const payerOf = (postings: readonly Posting[]): string | null => {
  const payers = postings.filter(
    ({ account, amount }) => account.startsWith(AVAILABLE) && units(amount) < 0n,
  );
  return payers.length === 1 ? (payers[0] as Posting).account.slice(AVAILABLE.length) : null;
};

const fold = (batch: readonly RecordedEvent[]): LedgerChange => {
  const postings: PostingRow[] = [];
  const accounts = new Map<string, { owner: string | null; change: bigint; position: string }>();
  for (const event of batch) {
    const entry = event.data as unknown as EntryPosted;
    const position = String(event.position);
    const payer = payerOf(entry.postings);
    let sum = 0n;
    for (const [line, { account, amount }] of entry.postings.entries()) {
      const change = units(amount);
      sum += change;
      const before = accounts.get(account);
      accounts.set(account, {
        owner: before?.owner ?? ownerOf(account, payer),
        change: (before?.change ?? 0n) + change,
        position,
      });
      const { entryId, kind, cause } = entry;
      const posting = { position, line, account, amount, entryId, kind, cause, at: event.occurredAt };
      checkMembers(postingsTable, posting);
      postings.push(posting);
    }
    if (sum !== 0n) throw new Error(`entry ${entry.entryId} does not balance: ${sum}`);
  }
  return {
    postings,
    accounts: [...accounts].map(([account, { owner, change, position }]) => ({
      account,
      owner,
      balance: toMicro(change),
      position,
    })),
  };
};

/**
 * Balances and the journal. An entry that cannot be taken, as one that does not balance, is left out whole, and nothing
 * waits for it: every other entry sums to zero, so Σ of all balances stays zero. Until it is retried the balances of its
 * own accounts are off by what it moves. Since balances add up over entries in their order, that builds the model anew.
 */
export const ledger: Projection<null, LedgerChange> = {
  name: 'ledger',
  version: 3,
  handles: ['ledger.entry-posted'],
  tables: [accountsTable.name, postingsTable.name],
  ddl: (names) =>
    [accountsTable, postingsTable].map((table) => tableDdl(table as never, names(table.name))).join('\n'),
  keyOf: ({ id }) => id,
  load: () => Promise.resolve(null),
  fold,
  apply: async (session, { accounts, postings }, names) => {
    const merge = {
      balance: 'target.balance + excluded.balance',
      owner: 'coalesce(target.owner, excluded.owner)',
    };
    await writeRows(session, accountsTable, names(accountsTable.name), accounts, merge);
    await writeRows(session, postingsTable, names(postingsTable.name), postings);
  },
};
