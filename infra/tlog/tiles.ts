import { HASH_BYTES } from '../../domain/merkle.ts';
import { createFrontier } from '../../domain/merkle-frontier.ts';
import { hashOfRange, type Subtree } from '../../domain/merkle-ranges.ts';
import { nodeHash } from './hashes.ts';

/** Levels of the tree between two levels of tiles. */
const HEIGHT = 8;
const WIDTH = 2 ** HEIGHT;
const IN_TILE = BigInt(WIDTH - 1);

export interface TileKey {
  readonly level: number;
  readonly index: bigint;
}

/** Up to 256 hashes of complete subtrees of 256^level leaves, one after the other. */
export interface Tile extends TileKey {
  readonly hashes: Uint8Array;
}

/** The hashes of a tile from which that of a subtree follows: `count` of them, a power of two, from the `start`-th on. */
export interface TilePart extends TileKey {
  readonly start: number;
  readonly count: number;
}

/** Where the hash of a complete subtree comes from. */
export const partOf = ({ level, index }: Subtree): TilePart => {
  const above = level % HEIGHT;
  const first = index << BigInt(above);
  return {
    level: (level - above) / HEIGHT,
    index: first >> BigInt(HEIGHT),
    start: Number(first & IN_TILE),
    count: 2 ** above,
  };
};

export const splitHashes = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );

/** Hash of the subtree over these hashes, a power of two of them. */
export const hashOfPart = (hashes: readonly Uint8Array[]): Uint8Array => {
  const frontier = createFrontier(nodeHash);
  for (const each of hashes) frontier.append(each);
  return frontier.root();
};

/** Number of complete subtrees of 256^level leaves in a tree of `size`. */
const subtreesAt = (size: bigint, level: number): bigint => size >> BigInt(HEIGHT * level);

/** The partial tiles of a tree of `size`: those that go on when it grows, with the number of their hashes. */
export const edgeOf = (size: bigint): (TileKey & { readonly width: number })[] => {
  const edge: (TileKey & { width: number })[] = [];
  for (let level = 0; subtreesAt(size, level) > 0n; level++) {
    const subtrees = subtreesAt(size, level);
    const width = Number(subtrees & IN_TILE);
    if (width > 0) edge.push({ level, index: subtrees >> BigInt(HEIGHT), width });
  }
  return edge;
};

/** The right edge of a tiled tree in memory. Holds O(log n) tiles. */
export interface TileEdge {
  size(): bigint;
  root(): Uint8Array;
  /** Appends leaf hashes and returns the tiles that are new or longer than before. */
  append(leaves: readonly Uint8Array[]): Tile[];
}

/** @param partial the tiles that `edgeOf(size)` names, cut to their widths. */
export const createTileEdge = (size: bigint, partial: readonly Tile[]): TileEdge => {
  const open = new Map(
    partial.map(({ level, index, hashes }) => [level, { index, hashes: splitHashes(hashes) }]),
  );
  let leaves = size;

  /** Puts a hash behind the last one of its level; a tile that is full passes its own hash up. */
  const push = (level: number, number: bigint, added: Uint8Array, full: Tile[]): void => {
    const tile = open.get(level) ?? { index: number >> BigInt(HEIGHT), hashes: [] };
    tile.hashes.push(added);
    open.set(level, tile);
    if (tile.hashes.length < WIDTH) return;
    open.delete(level);
    full.push({ level, index: tile.index, hashes: Buffer.concat(tile.hashes) });
    push(level + 1, tile.index, hashOfPart(tile.hashes), full);
  };

  const hashOf = (subtree: Subtree): Uint8Array => {
    const { level, index, start, count } = partOf(subtree);
    const tile = open.get(level);
    const hashes = tile?.index === index ? tile.hashes.slice(start, start + count) : [];
    if (hashes.length !== count)
      throw new Error(`tile ${level}/${index} is not at the edge of ${leaves} leaves`);
    return hashOfPart(hashes);
  };

  return {
    size: () => leaves,
    root: () => hashOfRange({ start: 0n, end: leaves }, hashOf, nodeHash),
    append: (added) => {
      const changed: Tile[] = [];
      const before = new Map(
        [...open].map(([level, { index, hashes }]) => [level, { index, width: hashes.length }]),
      );
      for (const leaf of added) {
        push(0, leaves, leaf, changed);
        leaves += 1n;
      }
      for (const [level, { index, hashes }] of open) {
        const known = before.get(level);
        if (known?.index === index && known.width === hashes.length) continue;
        changed.push({ level, index, hashes: Buffer.concat(hashes) });
      }
      return changed;
    },
  };
};
