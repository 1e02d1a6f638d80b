import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import type { Checkpoint, TransparencyLog } from '../../../infra/tlog/transparency-log.ts';
import { position, sha256 } from '../../fields.ts';

/** A size of the log that has a tree: at least 1. */
export const treeSize = z.string().regex(/^[1-9]\d{0,17}$/, 'a size: a whole number, at least 1');

export const pathSchema = z.array(sha256).describe('sibling hashes, RFC 6962');

/** Where an event is in the tree of a checkpoint. */
export const inclusionSchema = z
  .object({
    position,
    index: position.describe('of the leaf: position - 1'),
    size: treeSize.describe('leaves of the tree that the path leads to'),
    root: sha256,
    leaf_hash: sha256,
    path: pathSchema,
    checkpoint: z.string().nullable().describe('signed note; null where no tree of that size was signed'),
  })
  .meta({ id: 'Inclusion' });

export type Inclusion = z.input<typeof inclusionSchema>;

/** Proof that the event at position `at` is in the tree of `size`, which contains it. */
export const inclusionOf = async (
  log: TransparencyLog,
  at: bigint,
  size: bigint,
  checkpoint: Checkpoint | null,
): Promise<Inclusion> => {
  const { leafHash, path } = await log.inclusion(at - 1n, size);
  const root = checkpoint?.root ?? (await log.rootAt(size));
  return {
    position: String(at),
    index: String(at - 1n),
    size: String(size),
    root: bytesToHex(root),
    leaf_hash: bytesToHex(leafHash),
    path: path.map(bytesToHex),
    checkpoint: checkpoint?.note ?? null,
  };
};

/** What is beyond the newest checkpoint is not published yet, or does not exist. */
export const beyond = (field: string, newest: Checkpoint | null) =>
  reject('RESOURCE_NOT_FOUND', 'the signed log does not go that far', [
    { field, rule: `at most ${newest?.size ?? 0n}` },
  ]);
