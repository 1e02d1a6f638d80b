import type { ChainView, Mined, SignedTransaction } from '../../domain/anchor/next-step.ts';
import type { AnchorTarget, StoredEvidence } from './anchors.ts';

/** What is written to the contract; hex with 0x. */
export interface Head {
  /** SHA-256 of the log's origin line. */
  readonly originHash: string;
  readonly size: bigint;
  readonly root: string;
}

/** The chain refused or could not be asked. `message` is fit for logs: it holds neither address nor key. */
export class ChainError extends Error {
  override name = 'ChainError';
}

/** A contract on a chain, and the one account that may write to it. All methods throw ChainError. */
export interface AnchorChain extends AnchorTarget {
  /** Blocks that make a transaction final, by default. */
  readonly confirmations: bigint;
  /** Sees to account and contract. @returns whether they can be used; false while the contract is being deployed. */
  prepare(): Promise<boolean>;
  /** Number of the newest block. */
  head(): Promise<bigint>;
  /** Hash of a block of the chain as it is now; null when there is none of that number. */
  blockHash(block: bigint): Promise<string | null>;
  /** Transactions of the account in the chain. */
  nonce(): Promise<bigint>;
  /** Newest head of a log; null when the contract is not there. */
  last(originHash: string): Promise<ChainView['last'] | null>;
  /** Those of the transactions that are in a block. */
  mined(hashes: readonly string[]): Promise<Mined[]>;
  /** The transaction in `block` that anchored the head; null when there is none. */
  find(head: Head, block: bigint): Promise<Mined | null>;
  /** Signs, and sends nothing. `replaces` has the same nonce and is outbid. */
  sign(
    head: Head,
    nonce: bigint,
    replaces: SignedTransaction | null,
  ): Promise<Omit<SignedTransaction, 'signedAt'>>;
  /** Sends; to send again what the chain knows is fine. */
  broadcast(transaction: SignedTransaction): Promise<void>;
  /** What proves the anchor to a stranger; null where the chain's blocks have another form. */
  evidence(head: Head, mined: Mined): Promise<StoredEvidence | null>;
}
