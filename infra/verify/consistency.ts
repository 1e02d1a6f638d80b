import { nodeHash } from '../../domain/merkle.ts';
import { equalBytes } from './bytes.ts';
import { areHashes } from './inclusion.ts';
import { type U64, u64 } from './u64.ts';

export interface ConsistencyProof {
  /** Size of the older tree, at least 1. */
  readonly size1: U64;
  readonly size2: U64;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/**
 * Whether the tree of `size1` is a prefix of the tree of `size2` (RFC 9162 §2.1.4.2). Strict: an empty first tree proves
 * nothing and is refused, equal sizes need equal roots and an empty path. Never throws.
 */
export const verifyConsistency = (proof: ConsistencyProof): boolean => {
  const { size1, size2, root1, root2, path } = proof ?? {};
  const [older, newer] = [u64(size1), u64(size2)];
  if (older === null || newer === null || older === 0n || older > newer) return false;
  if (!areHashes([root1, root2]) || !areHashes(path)) return false;
  if (older === newer) return path.length === 0 && equalBytes(root1, root2);

  let [node, last] = [older - 1n, newer - 1n];
  while ((node & 1n) === 1n) [node, last] = [node >> 1n, last >> 1n];
  // A complete old tree is itself the node from which the path starts.
  const [start, ...rest] = node === 0n ? [root1, ...path] : path;
  if (start === undefined) return false;
  let [olderHash, newerHash] = [start, start];
  for (const hash of rest) {
    if (last === 0n) return false;
    if ((node & 1n) === 1n || node === last) {
      olderHash = nodeHash(hash, olderHash);
      newerHash = nodeHash(hash, newerHash);
      while (node !== 0n && (node & 1n) === 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      newerHash = nodeHash(newerHash, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && equalBytes(olderHash, root1) && equalBytes(newerHash, root2);
};
