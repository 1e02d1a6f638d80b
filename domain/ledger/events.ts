import type { Micro } from '../money.ts';

/** A signed amount on one account. The postings of an entry sum to zero. */
export interface Posting {
  readonly account: string;
  readonly amount: Micro;
}

export type EntryKind =
  | 'credit'
  | 'fee'
  | 'hold'
  | 'release'
  | 'payment'
  | 'slash'
  | 'compensation'
  | 'sla-credit'
  | 'stake'
  | 'genesis';

/** One balanced journal entry; the only event of the only ledger stream (settled 9). */
export interface EntryPosted {
  readonly type: 'ledger.entry-posted';
  readonly machineVersion: number;
  /** Unique; derives from the cause, so a retry is the same entry. */
  readonly entryId: string;
  readonly kind: EntryKind;
  /** Id of the event (`stream@revision`) or outside reference that this money follows. */
  readonly cause: string;
  readonly postings: readonly Posting[];
}

export type LedgerEvent = EntryPosted;

export const LEDGER_STREAM = 'ledger-main';

/** Account names. Everything but `external` refuses to go below zero. */
export const account = {
  /** Money from outside; its balance is minus all that was ever paid in. */
  external: 'external',
  available: (principal: string): string => `available:${principal}`,
  escrow: (auctionId: string): string => `escrow:${auctionId}`,
  deposit: (bidId: string): string => `deposit:${bidId}`,
  /** Rent of an enclave without a job, or of an award that waits for one (settled 41). */
  rent: (kept: string): string => `rent:${kept}`,
  stake: (providerId: string): string => `stake:${providerId}`,
  /** Stands for a barred provider until its record speaks for itself (settled 39). */
  bond: (providerId: string): string => `bond:${providerId}`,
  /** Fees for opening auctions (settled 41). */
  fees: 'fees',
  /** What members of a job have lost of their deposits, until the job ends and it is shared (settled 39). */
  forfeits: (jobId: string): string => `forfeits:${jobId}`,
  /** Slashed deposits of jobs of version 1. */
  slashed: 'slashed',
  /** Remainders of rounding. */
  rounding: 'rounding',
} as const;
