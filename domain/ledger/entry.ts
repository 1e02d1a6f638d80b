import type { Micro } from '../money.ts';
import { negate, units } from '../money.ts';
import { account, type EntryKind, type Posting } from './events.ts';

/** A journal entry before it is posted. */
export interface LedgerEntry {
  readonly entryId: string;
  readonly kind: EntryKind;
  /** Event id or outside reference that the money follows. */
  readonly cause: string;
  readonly postings: readonly Posting[];
}

/** Moves `amount` from one account to another because of `cause`; `part` tells several entries of one cause apart. */
export const transfer = (
  kind: EntryKind,
  from: string,
  to: string,
  amount: Micro,
  cause: string,
  part = kind as string,
): LedgerEntry => ({
  entryId: `${cause}/${part}`,
  kind,
  cause,
  postings: [
    { account: from, amount: negate(amount) },
    { account: to, amount },
  ],
});

/** The fee for opening an auction, from whoever asks for it (settled 41); none where it was paid before. */
export const openingFee = (submitter: string, fee: Micro | undefined, cause: string): LedgerEntry[] =>
  fee === undefined ? [] : [transfer('fee', account.available(submitter), account.fees, fee, cause)];

/** An entry that moves nothing is not posted. */
export const isEmpty = (entry: LedgerEntry): boolean =>
  entry.postings.every((posting) => units(posting.amount) === 0n);
