import { msBetween } from '../time.ts';

/** A signed transaction of an anchor. */
export interface SignedTransaction {
  readonly hash: string;
  readonly nonce: bigint;
  /** As it is sent. */
  readonly raw: string;
  readonly signedAt: string;
}

/** A head that is to be anchored, with every transaction signed for it, newest first. */
export interface OpenAnchor {
  readonly size: bigint;
  /** 32 bytes, hex. */
  readonly root: string;
  readonly transactions: readonly SignedTransaction[];
}

export interface Mined {
  readonly hash: string;
  readonly block: bigint;
  readonly blockHash: string;
  /** False when the contract refused it. */
  readonly succeeded: boolean;
}

/** What the chain says, read in this order: a transaction that is mined meanwhile is never taken for lost. */
export interface ChainView {
  /** Number of the newest block. */
  readonly head: bigint;
  /** Transactions of the publisher so far. */
  readonly nonce: bigint;
  /** The contract's newest head of this log; size 0 before the first. */
  readonly last: { readonly size: bigint; readonly root: string; readonly block: bigint };
  /** Those of the anchor's transactions that are in a block. */
  readonly mined: readonly Mined[];
}

export interface SendPolicy {
  /** Blocks from the one that holds the event up to the head, both counted, that make it final. At least 1. */
  readonly confirmations: bigint;
  /** A transaction unmined for so long is replaced by one that pays more. */
  readonly replaceAfterMs: number;
}

export type AnchorStep =
  | { readonly type: 'confirm'; readonly mined: Mined }
  /** It is in a block, not deep enough yet. */
  | { readonly type: 'wait' }
  /** The contract holds this head by a transaction that is not known here: look for it in `block`. */
  | { readonly type: 'adopt'; readonly block: bigint }
  /** The contract holds a larger head. */
  | { readonly type: 'supersede' }
  /** The contract holds another tree of this size: one of the two logs is a forgery. */
  | { readonly type: 'conflict' }
  | { readonly type: 'broadcast'; readonly transaction: SignedTransaction }
  /** `replaces` pays too little. */
  | { readonly type: 'sign'; readonly nonce: bigint; readonly replaces: SignedTransaction | null };

/**
 * What to do about an anchor. Nothing is doubled, whatever happened before: the same transaction may be sent again at any
 * time, another one is signed only when its predecessor cannot be mined any more or shares its nonce, and the contract
 * refuses a size that does not grow.
 */
export const nextStep = (
  { size, root, transactions }: OpenAnchor,
  { head, nonce, last, mined }: ChainView,
  { confirmations, replaceAfterMs }: SendPolicy,
  now: string,
): AnchorStep => {
  const success = mined.find(({ succeeded }) => succeeded);
  if (success) {
    const depth = head - success.block + 1n;
    return depth >= confirmations ? { type: 'confirm', mined: success } : { type: 'wait' };
  }
  if (last.size === size)
    return last.root === root ? { type: 'adopt', block: last.block } : { type: 'conflict' };
  if (last.size > size) return { type: 'supersede' };
  const current = transactions.find((transaction) => transaction.nonce === nonce);
  if (!current) return { type: 'sign', nonce, replaces: null };
  return msBetween(current.signedAt, now) < replaceAfterMs
    ? { type: 'broadcast', transaction: current }
    : { type: 'sign', nonce, replaces: current };
};
