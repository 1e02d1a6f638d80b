import type { Pool } from 'pg';
import type { AnchorTarget, StoredEvidence } from './anchors.ts';

/** A head of the log that another chain holds, deep enough. */
export interface AnchoredHead extends AnchorTarget {
  readonly size: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Hex with 0x, like the block's hash. */
  readonly txHash: string;
  readonly block: bigint;
  readonly blockHash: string;
  /** RFC 3339. */
  readonly confirmedAt: string;
  readonly evidence: StoredEvidence | null;
}

/** A wish for an anchor. */
export interface AnchorRequest {
  readonly id: string;
  readonly principal: string;
  readonly proofIds: readonly string[];
  /** What the anchored head must contain. */
  readonly position: bigint;
  /** Does not wait until a batch is due. */
  readonly urgent: boolean;
  readonly requestedAt: string;
}

/** Anchors as they are read. What a chain has taken back is not among them. */
export interface AnchoredHeads {
  /** The smallest anchored head that contains the event at `position`, on a public chain before a simulated one. */
  covering(position: bigint): Promise<AnchoredHead | null>;
  /** The largest anchored heads, largest first. */
  newest(limit: number): Promise<AnchoredHead[]>;
  /** The smallest anchored heads of `from` to `to` events, smallest first: `limit`, and all others of the last size. */
  between(from: bigint, to: bigint, limit: number): Promise<AnchoredHead[]>;
  /** Notes a wish; the same id twice is one. */
  request(wish: AnchorRequest): Promise<void>;
}

const SELECT = `
  select chain, contract, simulated, size, root, tx_hash as "txHash", block, block_hash as "blockHash",
         confirmed_at as "confirmedAt", evidence
    from log.anchors where state = 'confirmed'`;

export const createAnchoredHeads = (pool: Pool): AnchoredHeads => ({
  covering: async (position) => {
    const { rows } = await pool.query<AnchoredHead>(
      `${SELECT} and size >= $1 order by simulated, size limit 1`,
      [String(position)],
    );
    return rows[0] ?? null;
  },
  newest: async (limit) => {
    const { rows } = await pool.query<AnchoredHead>(`${SELECT} order by size desc, simulated limit $1`, [
      limit,
    ]);
    return rows;
  },
  between: async (from, to, limit) => {
    const { rows } = await pool.query<AnchoredHead>(
      `select * from (${SELECT} and size between $1 and $2 order by size fetch first $3 rows with ties) page
        order by size, chain, contract`,
      [String(from), String(to), limit],
    );
    return rows;
  },
  request: async ({ id, principal, proofIds, position, urgent, requestedAt }) => {
    await pool.query(
      `insert into log.anchor_requests (id, principal, proof_ids, position, urgent, requested_at)
       values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
      [id, principal, proofIds, String(position), urgent, requestedAt],
    );
  },
});
