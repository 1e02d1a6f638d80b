import { utf8ToBytes } from '@noble/hashes/utils.js';
import { leafHash, type MerkleTree, merkleTree } from '../merkle.ts';
import { fixed, joined, text, u64 } from './encode.ts';

/** A node as an epoch commits to it. */
export interface Candidate {
  readonly nodeId: string;
  /** ECVRF public key, 32 bytes. */
  readonly vrfKey: Uint8Array;
  /** Trust when the set was frozen, in thousandths. */
  readonly weight: number;
  /** The network the node was last seen in: its IPv4 /16 or IPv6 /32. */
  readonly addressPrefix: string;
  readonly operator: string;
}

const LEAF_TAG = utf8ToBytes('fog-nbr-leaf-v1');

/** The bytes that the set commits to. @throws RangeError on a field outside its bounds. */
export const candidateBytes = ({ nodeId, vrfKey, weight, addressPrefix, operator }: Candidate): Uint8Array =>
  joined(LEAF_TAG, text(nodeId), fixed(vrfKey, 32), u64(weight), text(addressPrefix), text(operator));

export const candidateLeaf = (candidate: Candidate): Uint8Array => leafHash(candidateBytes(candidate));

/** The frozen set of an epoch, in the order of its leaves. */
export interface CandidateSet {
  readonly candidates: readonly Candidate[];
  readonly tree: MerkleTree;
  /** Index of a node, or -1. O(log n). */
  indexOf(nodeId: string): number;
}

const byNodeId = (a: Candidate, b: Candidate): number =>
  a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0;

const sameLeaf = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, index) => byte === b[index]);

const find = (candidates: readonly Candidate[], nodeId: string): number => {
  let low = 0;
  let high = candidates.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { nodeId: found } = candidates[middle] as Candidate;
    if (found === nodeId) return middle;
    if (found < nodeId) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
};

/**
 * Sorts by node id, drops repetitions and builds the tree (RFC 6962), so that any order of the input has one root.
 * @throws RangeError when one node id stands for two different candidates.
 */
export const candidateSet = (input: Iterable<Candidate>): CandidateSet => {
  const candidates: Candidate[] = [];
  const leaves: Uint8Array[] = [];
  for (const candidate of [...input].sort(byNodeId)) {
    const leaf = candidateLeaf(candidate);
    if (candidates.at(-1)?.nodeId === candidate.nodeId) {
      if (sameLeaf(leaf, leaves.at(-1) as Uint8Array)) continue;
      throw new RangeError(`two different candidates are named ${candidate.nodeId}`);
    }
    candidates.push(candidate);
    leaves.push(leaf);
  }
  return { candidates, tree: merkleTree(leaves), indexOf: (nodeId) => find(candidates, nodeId) };
};
