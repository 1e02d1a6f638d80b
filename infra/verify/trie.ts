import { keccak_256 } from '@noble/hashes/sha3.js';
import { equalBytes } from './bytes.ts';
import { MalformedError } from './der.ts';
import { decodeRlp, isBytes, isList, type RlpItem } from './rlp.ts';

const BRANCH_ITEMS = 17;
const PATH_ITEMS = 2;

export const nibblesOf = (bytes: Uint8Array): number[] =>
  [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/**
 * The value under `key` in a Merkle-Patricia trie (Ethereum Yellow Paper, appendix D), or null when the nodes do not lead
 * there. `path` holds the encoded nodes from the root to the value, each under the hash that the one before names.
 * @throws MalformedError
 */
export const trieValue = (
  root: Uint8Array,
  key: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array | null => {
  let reference: RlpItem = root;
  let rest = nibblesOf(key);
  const nodes = [...path];
  for (;;) {
    // A node shorter than a hash stands in its parent itself.
    const node: RlpItem = isBytes(reference) ? under(reference, nodes.shift()) : reference;
    const next = step(node, rest);
    if (next === null) return null;
    if (next.isValue) return isBytes(next.reference) && nodes.length === 0 ? next.reference : null;
    ({ reference, rest } = next);
  }
};

const under = (hash: Uint8Array, node: Uint8Array | undefined): RlpItem => {
  if (node === undefined || !equalBytes(keccak_256(node), hash))
    throw new MalformedError('a node of the path is not the one that is named');
  return decodeRlp(node);
};

interface Step {
  readonly reference: RlpItem;
  readonly rest: number[];
  readonly isValue: boolean;
}

const step = (node: RlpItem, rest: readonly number[]): Step | null => {
  if (!isList(node)) return null;
  if (node.length === BRANCH_ITEMS) {
    const [nibble, ...others] = rest;
    return { reference: node[nibble ?? 16] as RlpItem, rest: others, isValue: nibble === undefined };
  }
  const [compact, reference] = node;
  if (node.length !== PATH_ITEMS || !isBytes(compact) || reference === undefined) return null;
  const { nibbles, isLeaf } = shared(compact);
  if (nibbles.some((nibble, at) => nibble !== rest[at])) return null;
  const remaining = rest.slice(nibbles.length);
  return isLeaf && remaining.length > 0 ? null : { reference, rest: remaining, isValue: isLeaf };
};

/** Hex-prefix encoding: a flag nibble tells a leaf and an odd number of nibbles. */
const shared = (compact: Uint8Array): { nibbles: number[]; isLeaf: boolean } => {
  const [flag = 4, ...nibbles] = nibblesOf(compact);
  const isOdd = (flag & 1) === 1;
  if (flag > 3 || (!isOdd && nibbles[0] !== 0)) throw new MalformedError('not a path of a trie node');
  return { nibbles: isOdd ? nibbles : nibbles.slice(1), isLeaf: flag >= 2 };
};
