import type { Pool } from 'pg';
import { HASH_BYTES } from '../../domain/merkle.ts';
import {
  consistencyRanges,
  hashOfRange,
  inclusionRanges,
  type LeafRange,
  subtreesOf,
} from '../../domain/merkle-ranges.ts';
import { nodeHash } from './hashes.ts';
import { hashOfPart, partOf, splitHashes, type TileKey } from './tiles.ts';

/** A signed tree head. */
export interface Checkpoint {
  readonly size: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The signed note. */
  readonly note: string;
  /** Key under which it verifies: name+id+base64. */
  readonly publicKey: string;
  /** RFC 3339. */
  readonly signedAt: string;
}

/** Proves that a leaf is in a tree. */
export interface Inclusion {
  readonly leafHash: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** The transparency log as it is read. Sizes are those of trees that the newest checkpoint contains. */
export interface TransparencyLog {
  /** The newest checkpoint; null before the first. */
  newest(): Promise<Checkpoint | null>;
  /** The checkpoint of exactly this size, if one was signed. */
  checkpointAt(size: bigint): Promise<Checkpoint | null>;
  /** @throws RangeError when the leaf is not in a tree of that size. */
  inclusion(index: bigint, size: bigint): Promise<Inclusion>;
  /** @throws RangeError when the first tree is empty or larger than the second. */
  consistency(size1: bigint, size2: bigint): Promise<Uint8Array[]>;
  /** Root of the tree of that size. */
  rootAt(size: bigint): Promise<Uint8Array>;
  /** The events from position `from` to `to` as lines of an export (see infra/verify/export), each with its newline. */
  entries(from: bigint, to: bigint): Promise<string>;
  /** The text of the event at `position` as it was hashed, in the shape that it was written in. */
  envelope(position: bigint): Promise<string>;
  /** Hashes of a tile, as far as it has got; null when there is none. */
  tile(key: TileKey): Promise<Uint8Array | null>;
}

const COLUMNS = 'size, root, note, public_key as "publicKey", signed_at as "signedAt"';

/** The largest number that a column of the database holds. */
const MAX_INDEX = 2n ** 63n - 1n;

const PARTS = `
  select substring(tile.hashes from wanted.start * ${HASH_BYTES} + 1 for wanted.count * ${HASH_BYTES}) as hashes
    from unnest($1::smallint[], $2::bigint[], $3::integer[], $4::integer[])
           with ordinality wanted(level, index, start, count, n)
    left join log.tiles tile using (level, index)
   order by wanted.n`;

const ENTRIES = `
  select string_agg('{"position":"' || position || '","hash":"' || encode(hash, 'hex') || '","envelope":' || envelope
                    || E'}\\n', '' order by position) as lines
    from log.events where position between $1 and $2`;

export const createTransparencyLog = (pool: Pool): TransparencyLog => {
  const checkpoint = async (where: string, values: unknown[]): Promise<Checkpoint | null> => {
    const { rows } = await pool.query<Checkpoint>(
      `select ${COLUMNS} from log.checkpoints ${where} limit 1`,
      values,
    );
    return rows[0] ?? null;
  };

  /** Hashes of the complete subtrees that make up each range, all read at once. */
  const subtreesOfAll = async (ranges: readonly LeafRange[]): Promise<Uint8Array[][]> => {
    const parts = ranges.map((range) => subtreesOf(range).map(partOf));
    const all = parts.flat();
    const { rows } = await pool.query<{ hashes: Buffer | null }>({
      name: 'tlog-parts',
      text: PARTS,
      values: [
        all.map(({ level }) => level),
        all.map(({ index }) => String(index)),
        all.map(({ start }) => start),
        all.map(({ count }) => count),
      ],
    });
    const hashes = all.map(({ level, index, count }, at) => {
      const found = rows[at]?.hashes;
      if (found?.length !== count * HASH_BYTES) throw new Error(`tile ${level}/${index} has no such hashes`);
      return hashOfPart(splitHashes(found));
    });
    return parts.map((subtrees) => hashes.splice(0, subtrees.length));
  };

  const rangeHashes = async (ranges: readonly LeafRange[]): Promise<Uint8Array[]> => {
    const subtrees = await subtreesOfAll(ranges);
    return ranges.map((range, at) => {
      const hashes = [...(subtrees[at] ?? [])];
      return hashOfRange(range, () => hashes.shift() as Uint8Array, nodeHash);
    });
  };

  return {
    newest: () => checkpoint('order by size desc', []),
    checkpointAt: async (size) => (size > MAX_INDEX ? null : checkpoint('where size = $1', [String(size)])),
    inclusion: async (index, size) => {
      const leaf = { start: index, end: index + 1n };
      const [leafHash, ...path] = await rangeHashes([leaf, ...inclusionRanges(index, size)]);
      return { leafHash: leafHash as Uint8Array, path };
    },
    consistency: async (size1, size2) => rangeHashes(consistencyRanges(size1, size2)),
    rootAt: async (size) => (await rangeHashes([{ start: 0n, end: size }]))[0] as Uint8Array,
    entries: async (from, to) => {
      const { rows } = await pool.query<{ lines: string | null }>({
        name: 'tlog-entries',
        text: ENTRIES,
        values: [String(from), String(to)],
      });
      return rows[0]?.lines ?? '';
    },
    envelope: async (position) => {
      const { rows } = await pool.query<{ envelope: string }>({
        name: 'tlog-envelope',
        text: 'select envelope from log.events where position = $1',
        values: [String(position)],
      });
      const [found] = rows;
      if (!found) throw new RangeError(`there is no event at ${position}`);
      return found.envelope;
    },
    tile: async ({ level, index }) => {
      if (index > MAX_INDEX) return null;
      const { rows } = await pool.query<{ hashes: Buffer }>(
        'select hashes from log.tiles where level = $1 and index = $2',
        [level, String(index)],
      );
      return rows[0]?.hashes ?? null;
    },
  };
};
