import type { Pool } from 'pg';
import { createFrontier, type Frontier } from '../../domain/merkle-frontier.ts';
import type { ChainEntry } from '../event-store/chain.ts';
import { leafOfEnvelope } from '../event-store/hash.ts';
import { nodeHash } from '../tlog/hashes.ts';
import { equalBytes } from '../verify/bytes.ts';
import { verifyCheckpoint } from '../verify/index.ts';

interface SignedHead {
  readonly size: bigint;
  readonly note: string;
  readonly publicKey: string;
}

/** Holds a log, event by event, against the newest head of it that was signed. */
export interface HeadCheck {
  take(entry: Pick<ChainEntry, 'position' | 'envelope'>): void;
  /** What is wrong, in words; null when the signed tree is a start of the log, or nothing was signed yet. */
  difference(): string | null;
}

/**
 * Whoever can write to the database can write every hash of the chain anew; the signed tree needs the log's key. The key
 * is the one recorded beside the head: `audit verify --public-key` holds the log against one that the auditor knows.
 */
export const createHeadCheck = async (
  pool: Pool,
  until: bigint,
  /** The tree of what is not read again. */
  start: Frontier = createFrontier(nodeHash),
): Promise<HeadCheck> => {
  const { rows } = await pool.query<SignedHead>(
    `select size, note, public_key as "publicKey" from log.checkpoints where size <= $1 order by size desc limit 1`,
    [until],
  );
  const [signed] = rows;
  const tree = start;
  return {
    take: ({ position, envelope }) => {
      if (signed && position <= signed.size) tree.append(leafOfEnvelope(envelope));
    },
    difference: () => {
      if (!signed) return null;
      const verdict = verifyCheckpoint({ checkpoint: signed.note, publicKey: signed.publicKey });
      if (!verdict.valid) return `the head signed at ${signed.size} does not verify: ${verdict.code}`;
      const holds = verdict.size === tree.size() && equalBytes(verdict.root, tree.root());
      return holds ? null : `the log up to ${signed.size} is not the one that was signed`;
    },
  };
};
