import type { Pool } from 'pg';
import type { Mined, OpenAnchor, SignedTransaction } from '../../domain/anchor/next-step.ts';

/** The contract that anchors are written to. */
export interface AnchorTarget {
  /** CAIP-2, e.g. `eip155:1`. */
  readonly chain: string;
  /** Address in lower-case hex. */
  readonly contract: string;
  /** A development chain, which is not public. */
  readonly simulated: boolean;
}

/** Header, receipt and its path in a block, as `verifyAnchor` takes them; hex. */
export interface StoredEvidence {
  readonly header: string;
  readonly receiptIndex: number;
  readonly receiptPath: readonly string[];
  readonly logIndex: number;
}

/** A head that is being anchored, or that was. */
export interface KnownAnchor extends OpenAnchor {
  readonly state: 'pending' | 'sent' | 'confirmed';
  readonly begunAt: string;
  /** Of the block that confirmed it. */
  readonly block: bigint | null;
  readonly blockHash: string | null;
}

/** Where the anchors of one contract stand. Every change is one statement. */
export interface Anchors {
  /** Heads under way, smallest first. */
  open(): Promise<KnownAnchor[]>;
  /** The head that was chosen last, whatever became of it. */
  previous(): Promise<{ readonly size: bigint; readonly begunAt: string } | null>;
  /** Confirmed heads up to `size`, largest first, a page of them. */
  confirmedUpTo(size: bigint): Promise<KnownAnchor[]>;
  begin(head: { readonly size: bigint; readonly root: string }, at: string): Promise<void>;
  /** Notes a transaction that is about to be sent. */
  intend(size: bigint, transaction: SignedTransaction): Promise<void>;
  confirm(size: bigint, mined: Mined, evidence: StoredEvidence | null, at: string): Promise<void>;
  supersede(size: bigint): Promise<void>;
  /** Takes confirmations back from heads larger than `size`. @returns how many. */
  reopenAbove(size: bigint): Promise<number>;
  /** Highest position up to `size` that was asked for urgently. */
  urgentUpTo(size: bigint): Promise<bigint | null>;
}

const PAGE = 16;

const KNOWN = `
  select anchor.size, '0x' || encode(anchor.root, 'hex') as root, anchor.state, anchor.begun_at as "begunAt",
         anchor.block, anchor.block_hash as "blockHash",
         coalesce((select json_agg(json_build_object('hash', hash, 'nonce', nonce::text, 'raw', raw, 'signedAt', signed_at)
                                   order by signed_at desc, nonce desc)
                     from log.anchor_transactions signed
                    where (signed.chain, signed.contract, signed.size) = (anchor.chain, anchor.contract, anchor.size)),
                  '[]') as transactions
    from log.anchors anchor
   where anchor.chain = $1 and anchor.contract = $2`;

type Row = Omit<KnownAnchor, 'transactions'> & {
  readonly transactions: readonly (Omit<SignedTransaction, 'nonce'> & { readonly nonce: string })[];
};

const known = ({ transactions, ...row }: Row): KnownAnchor => ({
  ...row,
  transactions: transactions.map((each) => ({ ...each, nonce: BigInt(each.nonce) })),
});

export const createAnchors = (pool: Pool, { chain, contract, simulated }: AnchorTarget): Anchors => {
  const target = [chain, contract];
  /** @throws when the anchor is not in a state that allows the change. */
  const changeOne = async (text: string, values: unknown[]): Promise<void> => {
    const { rowCount } = await pool.query(text, [...target, ...values]);
    if (rowCount !== 1) throw new Error(`the anchor is not in a state for: ${text.trim().split('\n')[0]}`);
  };
  return {
    open: async () => {
      const { rows } = await pool.query<Row>(
        `${KNOWN} and anchor.state in ('pending', 'sent') order by anchor.size`,
        target,
      );
      return rows.map(known);
    },
    previous: async () => {
      const { rows } = await pool.query<{ size: bigint; begunAt: string }>(
        `select size, begun_at as "begunAt" from log.anchors
          where chain = $1 and contract = $2 order by size desc limit 1`,
        target,
      );
      return rows[0] ?? null;
    },
    confirmedUpTo: async (size) => {
      const { rows } = await pool.query<Row>(
        `${KNOWN} and anchor.state = 'confirmed' and anchor.size <= $3 order by anchor.size desc limit ${PAGE}`,
        [...target, String(size)],
      );
      return rows.map(known);
    },
    begin: ({ size, root }, at) =>
      changeOne(
        `insert into log.anchors (chain, contract, size, root, simulated, begun_at)
         values ($1, $2, $3, decode(substr($4, 3), 'hex'), $5, $6)`,
        [String(size), root, simulated, at],
      ),
    intend: (size, { hash, nonce, raw, signedAt }) =>
      changeOne(
        `with signed as (
           update log.anchors set state = 'sent'
            where chain = $1 and contract = $2 and size = $3 and state in ('pending', 'sent') returning size)
         insert into log.anchor_transactions (chain, contract, size, hash, nonce, raw, signed_at)
         select $1, $2, size, $4, $5, $6, $7 from signed`,
        [String(size), hash, String(nonce), raw, signedAt],
      ),
    confirm: (size, { hash, block, blockHash }, evidence, at) =>
      changeOne(
        `update log.anchors
            set state = 'confirmed', tx_hash = $4, block = $5, block_hash = $6, evidence = $7, confirmed_at = $8
          where chain = $1 and contract = $2 and size = $3 and state in ('pending', 'sent')`,
        [String(size), hash, String(block), blockHash, evidence && JSON.stringify(evidence), at],
      ),
    supersede: (size) =>
      changeOne(
        `update log.anchors set state = 'superseded'
          where chain = $1 and contract = $2 and size = $3 and state in ('pending', 'sent')`,
        [String(size)],
      ),
    reopenAbove: async (size) => {
      const { rowCount } = await pool.query(
        `update log.anchors
            set state = 'sent', tx_hash = null, block = null, block_hash = null, evidence = null, confirmed_at = null
          where chain = $1 and contract = $2 and size > $3 and state = 'confirmed'`,
        [...target, String(size)],
      );
      return rowCount ?? 0;
    },
    urgentUpTo: async (size) => {
      const { rows } = await pool.query<{ position: bigint | null }>(
        'select max(position) as position from log.anchor_requests where urgent and position <= $1',
        [String(size)],
      );
      return rows[0]?.position ?? null;
    },
  };
};
