import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRoot, leafHash, merkleTree } from '../../domain/merkle.ts';
import { createTileEdge, edgeOf, hashOfPart, partOf, splitHashes, type Tile } from './tiles.ts';

const LEAVES = Array.from({ length: 70_000 }, (_, index) => leafHash(utf8ToBytes(`entry ${index}`)));

/** Grows a tiled tree in batches as a process that starts anew for each of them. */
const growTiles = (batches: readonly number[]) => {
  const tiles = new Map<string, Tile>();
  let size = 0n;
  let root = emptyRoot();
  for (const batch of batches) {
    const partial = edgeOf(size).map(({ level, index, width }) => {
      const tile = tiles.get(`${level}/${index}`) as Tile;
      return { ...tile, hashes: tile.hashes.slice(0, width * 32) };
    });
    const edge = createTileEdge(size, partial);
    expect(bytesToHex(edge.root())).toBe(bytesToHex(root));
    const leaves = LEAVES.slice(Number(size), Number(size) + batch);
    for (const tile of edge.append(leaves)) tiles.set(`${tile.level}/${tile.index}`, tile);
    size = edge.size();
    root = edge.root();
  }
  return { tiles, size, root };
};

const widths = (tiles: ReadonlyMap<string, Tile>): [string, number][] =>
  [...tiles].map(([name, { hashes }]): [string, number] => [name, hashes.length / 32]);

describe('tiles', () => {
  it('are those of the specification for a tree of 70,000', () => {
    const { tiles, root } = growTiles([70_000]);
    const found = widths(tiles);
    expect(found.filter(([name]) => name.startsWith('0/')).length).toBe(274);
    expect(found.filter(([name, width]) => name.startsWith('0/') && width < 256)).toEqual([['0/273', 112]]);
    expect(found.filter(([name]) => !name.startsWith('0/')).sort()).toEqual([
      ['1/0', 256],
      ['1/1', 17],
      ['2/0', 1],
    ]);
    expect(bytesToHex(root)).toBe(bytesToHex(merkleTree(LEAVES).root));
  });

  it('are the same however the tree grew', () => {
    const batch = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 250, max: 520 }));
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 12 }), (batches) => {
        const grown = growTiles(batches);
        const total = batches.reduce((sum, each) => sum + each, 0);
        const atOnce = growTiles([total]);
        expect(grown.size).toBe(BigInt(total));
        expect(bytesToHex(grown.root)).toBe(bytesToHex(merkleTree(LEAVES.slice(0, total)).root));
        expect(new Map([...grown.tiles].map(([name, { hashes }]) => [name, bytesToHex(hashes)]))).toEqual(
          new Map([...atOnce.tiles].map(([name, { hashes }]) => [name, bytesToHex(hashes)])),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('hold the hash of every complete subtree', () => {
    const { tiles } = growTiles([70_000]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 16 }), fc.nat(), (level, seed) => {
        const index = seed % Math.floor(70_000 / 2 ** level);
        const part = partOf({ level, index: BigInt(index) });
        const hashes = splitHashes((tiles.get(`${part.level}/${part.index}`) as Tile).hashes);
        const leaves = LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level);
        expect(bytesToHex(hashOfPart(hashes.slice(part.start, part.start + part.count)))).toBe(
          bytesToHex(merkleTree(leaves).root),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('that are not of the edge are told apart', () => {
    const { tiles } = growTiles([300]);
    expect(() => createTileEdge(300n, [tiles.get('0/0') as Tile]).root()).toThrow('not at the edge');
  });
});
