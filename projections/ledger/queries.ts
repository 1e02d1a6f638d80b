import type { Micro } from '../../domain/money.ts';
import type { Session } from '../projection.ts';
import { selectList } from '../table.ts';
import { type PostingRow, postingsTable } from './table.ts';

/** What a principal has, by purpose. */
export interface Balances {
  readonly available: Micro;
  /** Held for auctions and jobs it submitted. */
  readonly escrow: Micro;
  /** Held for bids it placed. */
  readonly deposits: Micro;
  readonly stake: Micro;
  /** Posted for barred providers of its own. */
  readonly bonds: Micro;
}

/** Balances of a principal; null when the ledger never named it. */
export const getBalances = async (db: Session, principal: string): Promise<Balances | null> => {
  const held = (prefix: string): string =>
    `coalesce(sum(balance) filter (where starts_with(account, '${prefix}:')), 0)::text`;
  // Every bid and job leaves an empty account: those that hold something are found by the index.
  const { rows } = await db.query<Balances & { named: boolean }>(
    `select exists (select from fog.ledger_accounts where owner = $1) as named,
            ${held('available')} as available, ${held('escrow')} as escrow,
            ${held('deposit')} as deposits, ${held('stake')} as stake, ${held('bond')} as bonds
       from fog.ledger_accounts where owner = $1 and (balance > 0 or balance < 0)`,
    [principal],
  );
  const [row] = rows;
  if (!row?.named) return null;
  const { available, escrow, deposits, stake, bonds } = row;
  return { available, escrow, deposits, stake, bonds };
};

/** Balance of one account by its full name; `"0"` for one never used. */
export const getBalance = async (db: Session, account: string): Promise<Micro> => {
  const { rows } = await db.query<{ balance: Micro }>(
    'select balance::text as balance from fog.ledger_accounts where account = $1',
    [account],
  );
  return rows[0]?.balance ?? ('0' as Micro);
};

export interface EntryPage {
  readonly items: readonly PostingRow[];
  /** Pass it back for the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface ListEntriesOptions {
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

const CURSOR = /^(\d{1,18})\.(\d{1,9})$/;

/** Whether `cursor` can come from a page. */
export const isEntryCursor = (cursor: string): boolean => CURSOR.test(cursor);

/** Journal lines on a principal's accounts, newest first. */
export const listEntries = async (
  db: Session,
  principal: string,
  { cursor, limit }: ListEntriesOptions,
): Promise<EntryPage> => {
  const [, position = null, line = null] = (cursor && CURSOR.exec(cursor)) || [];
  const { rows } = await db.query<PostingRow>(
    `select ${selectList(postingsTable, 'posting')}
       from fog.ledger_postings posting
      where posting.account in (select account from fog.ledger_accounts where owner = $1)
        and ($2::bigint is null or (posting.position, posting.line) < ($2, $3::integer))
      order by posting.position desc, posting.line desc limit $4`,
    [principal, position, line, limit + 1],
  );
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last ? `${last.position}.${last.line}` : null };
};

/** Σ of all balances: zero, or the books are wrong. */
export const ledgerTotal = async (db: Session): Promise<Micro> => {
  const { rows } = await db.query<{ total: Micro }>(
    'select coalesce(sum(balance), 0)::text as total from fog.ledger_accounts',
  );
  return (rows[0] as { total: Micro }).total;
};
