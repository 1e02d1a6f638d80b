import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import type { AnchoredHead } from '../../../infra/anchor/anchored.ts';
import { instant, position, sha256 } from '../../fields.ts';
import { treeSize } from './inclusion.ts';

const hexBytes = z.string().regex(/^([0-9a-f]{2})*$/);
const word = z.string().regex(/^0x[0-9a-f]{64}$/);

/** A head of the log on another chain, with what lets a stranger check it (`verifyAnchor`). */
export const anchorSchema = z
  .object({
    chain: z.string().describe('CAIP-2, e.g. eip155:1'),
    simulated: z.boolean().describe('a chain for development: not public, whoever runs it can rewrite it'),
    contract: z.string().describe('address'),
    tx_hash: word,
    block: position,
    block_hash: word.describe('look it up in the chain rather than trusting this answer'),
    size: treeSize,
    root: sha256,
    confirmed_at: instant,
    evidence: z
      .object({
        header: hexBytes.describe("RLP of the block's header"),
        receipt_index: z.int(),
        receipt_path: z.array(hexBytes).describe("nodes of the receipts' trie, root first"),
        log_index: z.int().describe('of the event in the receipt'),
      })
      .nullable()
      .describe('binds the event to the hash of the block; null where the chain has blocks of another form'),
  })
  .meta({ id: 'Anchor' });

export const anchorView = (head: AnchoredHead): z.input<typeof anchorSchema> => ({
  chain: head.chain,
  simulated: head.simulated,
  contract: head.contract,
  tx_hash: head.txHash,
  block: String(head.block),
  block_hash: head.blockHash,
  size: String(head.size),
  root: bytesToHex(head.root),
  confirmed_at: head.confirmedAt,
  evidence: head.evidence && {
    header: head.evidence.header,
    receipt_index: head.evidence.receiptIndex,
    receipt_path: [...head.evidence.receiptPath],
    log_index: head.evidence.logIndex,
  },
});
