import type { Pool } from 'pg';
import { createFrontier, type Frontier } from '../../domain/merkle-frontier.ts';
import { subtreesOf } from '../../domain/merkle-ranges.ts';
import type { Head } from '../../domain/ports/event-store.ts';
import { nodeHash } from '../tlog/hashes.ts';
import { hashOfPart, partOf, splitHashes } from '../tlog/tiles.ts';
import { createTransparencyLog } from '../tlog/transparency-log.ts';
import { equalBytes } from '../verify/bytes.ts';
import { verifyCheckpoint } from '../verify/index.ts';
import type { Pin } from './log.ts';

/** Where a check goes on from: a head of the log that was checked before, and kept. */
export interface Start {
  readonly head: Head;
  /** The signed tree up to there. */
  readonly tree: Frontier;
}

/** The complete subtrees of a tree of `size`, as the stored tiles have them. Whoever asks compares the root. */
const storedTree = async (
  pool: Pool,
  size: bigint,
): Promise<
  { readonly ok: true; readonly tree: Frontier } | { readonly ok: false; readonly problem: string }
> => {
  const log = createTransparencyLog(pool);
  const tree = createFrontier(nodeHash);
  for (const subtree of subtreesOf({ start: 0n, end: size })) {
    const { level, index, start, count } = partOf(subtree);
    const tile = await log.tile({ level, index });
    const hashes = splitHashes(tile ?? new Uint8Array()).slice(start, start + count);
    if (hashes.length !== count)
      return { ok: false, problem: `the tile ${level}/${index} of the signed tree is gone` };
    tree.append(hashOfPart(hashes), subtree.level);
  }
  return { ok: true, tree };
};

/**
 * Goes on from the head that the signed `note` names: what the log holds up to there must be what was signed then, and is
 * not read again. @returns what is wrong, in words, where it is another log or another key.
 */
export const startAfter = async (
  pool: Pool,
  note: string,
  pin: Pin,
): Promise<
  { readonly ok: true; readonly start: Start } | { readonly ok: false; readonly problem: string }
> => {
  const log = createTransparencyLog(pool);
  const newest = await log.newest();
  if (!newest) return { ok: false, problem: 'nothing of this log was signed yet' };
  const verdict = verifyCheckpoint({ checkpoint: note, publicKey: newest.publicKey });
  if (!verdict.valid)
    return { ok: false, problem: `the checkpoint to go on from does not verify: ${verdict.code}` };
  const { size, root } = verdict;
  if (size > pin.position)
    return { ok: false, problem: `the checkpoint to go on from has ${size} events, the log ${pin.position}` };
  const stored = await storedTree(pool, size);
  if (!stored.ok) return stored;
  const { tree } = stored;
  if (!equalBytes(tree.root(), root))
    return { ok: false, problem: `the log up to ${size} is not the one that was signed` };
  const { rows } = await pool.query<Head>(
    `select position, encode(hash, 'hex') as hash from log.events where position = $1`,
    [size],
  );
  const [head] = rows;
  if (!head) return { ok: false, problem: `there is no event at ${size}` };
  return { ok: true, start: { head, tree } };
};
