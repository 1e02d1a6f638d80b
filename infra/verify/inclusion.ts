import { isBytes } from '@noble/hashes/utils.js';
import { HASH_BYTES, rootFromPath } from '../../domain/merkle.ts';
import { equalBytes } from './bytes.ts';
import { type U64, u64 } from './u64.ts';

export interface InclusionProof {
  /** Leaf hash, 32 bytes: SHA-256(0x00 ‖ entry). */
  readonly leafHash: Uint8Array;
  readonly index: U64;
  /** Number of leaves of the tree. */
  readonly size: U64;
  readonly root: Uint8Array;
  /** Sibling hashes from the leaf upwards. */
  readonly path: readonly Uint8Array[];
}

/** Whether this is a list of hashes of exactly 32 bytes and nothing else, without a hole. */
export const areHashes = (values: readonly Uint8Array[]): boolean =>
  Array.isArray(values) && [...values].every((value) => isBytes(value) && value.length === HASH_BYTES);

/**
 * Whether the leaf is at `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2). Strict: exact path
 * length, 32-byte hashes, index below size. Never throws.
 */
export const verifyInclusion = (proof: InclusionProof): boolean => {
  const { leafHash, index, size, root, path } = proof ?? {};
  const [leaf, leaves] = [u64(index), u64(size)];
  if (leaf === null || leaves === null) return false;
  if (!areHashes([leafHash, root]) || !areHashes(path)) return false;
  const reached = rootFromPath(leafHash, leaf, leaves, path);
  return reached !== null && equalBytes(reached, root);
};
