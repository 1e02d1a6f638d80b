import type { Pool } from 'pg';
import { HASH_BYTES } from '../../domain/merkle.ts';
import { equalBytes } from '../verify/bytes.ts';
import type { CheckpointSigner } from './signer.ts';
import { createTileEdge, edgeOf, splitHashes, type Tile, type TileEdge } from './tiles.ts';

/** Most events that one checkpoint adds. */
const BATCH = 10_000;

interface Grown {
  /** Leaves of the tree now. */
  readonly size: bigint;
}

const NEWEST = {
  name: 'tlog-newest',
  text: 'select size, root from log.checkpoints order by size desc limit 1',
};

const EDGE = `
  select tile.level, tile.index, substring(tile.hashes for wanted.width * ${HASH_BYTES}) as hashes
    from unnest($1::smallint[], $2::bigint[], $3::integer[]) wanted(level, index, width)
    join log.tiles tile using (level, index)`;

const LEAVES = `
  select string_agg(sha256('\\x00'::bytea || convert_to(envelope, 'UTF8')), ''::bytea order by position) as hashes
    from (select position, envelope from log.events where position > $1 and position <= $2
           order by position limit ${BATCH}) found`;

/**
 * Tiles and checkpoint in one statement. What another process has written meanwhile is the same tree, maybe further on. The
 * commit does not wait for the disk: what a crash of the server takes back follows from the log again, and whatever is
 * committed durably later, as an anchor is, makes it durable, too.
 */
const WRITE = `
  with quick as (select set_config('synchronous_commit', 'off', true)), tiles as (
    insert into log.tiles as tile (level, index, hashes)
    select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
        on conflict (level, index) do update set hashes = excluded.hashes
     where length(tile.hashes) < length(excluded.hashes)
  )
  insert into log.checkpoints (size, root, note, public_key) 
  select $4::bigint, $5::bytea, $6::text, $7::text from quick on conflict (size) do nothing`;

/**
 * Takes the events after the newest checkpoint, up to position `until`, into the tree and signs its new head: O(events +
 * log n). Atomic, so a crash at any point leaves a whole tree; what it writes follows from the log alone, so it may run
 * again or twice at once.
 * @throws when the stored tiles are not those of the newest checkpoint: nothing is signed on top of them.
 */
export const growLog = async (
  { pool, signer }: { readonly pool: Pool; readonly signer: CheckpointSigner },
  until: bigint,
): Promise<Grown> => {
  const { rows } = await pool.query<{ size: bigint; root: Buffer }>(NEWEST);
  const size = rows[0]?.size ?? 0n;
  if (size >= until) return { size };
  const leaves = await leavesAfter(pool, size, until);
  if (leaves.length === 0) return { size };

  const edge = await loadEdge(pool, size);
  if (rows[0] && !equalBytes(edge.root(), rows[0].root)) {
    throw new Error(`the tiles of the transparency log do not match its checkpoint of size ${size}`);
  }
  const changed = edge.append(leaves);
  const head = { size: edge.size(), root: edge.root() };
  await pool.query({
    name: 'tlog-write',
    text: WRITE,
    values: [...columnsOf(changed), String(head.size), head.root, signer.sign(head), signer.publicKey],
  });
  return { size: head.size };
};

const columnsOf = (tiles: readonly Tile[]): unknown[] => [
  tiles.map(({ level }) => level),
  tiles.map(({ index }) => String(index)),
  tiles.map(({ hashes }) => hashes),
];

const leavesAfter = async (pool: Pool, size: bigint, until: bigint): Promise<Uint8Array[]> => {
  const { rows } = await pool.query<{ hashes: Buffer | null }>({
    name: 'tlog-leaves',
    text: LEAVES,
    values: [String(size), String(until)],
  });
  return splitHashes(rows[0]?.hashes ?? Buffer.alloc(0));
};

const loadEdge = async (pool: Pool, size: bigint): Promise<TileEdge> => {
  const wanted = edgeOf(size);
  const { rows } = await pool.query<Tile>({
    name: 'tlog-edge',
    text: EDGE,
    values: [
      wanted.map(({ level }) => level),
      wanted.map(({ index }) => String(index)),
      wanted.map(({ width }) => width),
    ],
  });
  return createTileEdge(size, rows);
};
