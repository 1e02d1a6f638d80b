import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { BaseError, type Hex, type PublicClient, type RpcBlock, type RpcTransactionReceipt } from 'viem';
import type { Mined } from '../../domain/anchor/next-step.ts';
import { ANCHORED_TOPIC } from '../verify/anchor.ts';
import { encodeRlp, type RlpItem, unsignedBytes } from '../verify/rlp.ts';
import type { StoredEvidence } from './anchors.ts';
import type { Head } from './chain.ts';
import { receiptTrie } from './receipt-trie.ts';

/** Fields of a header in their order; those from the base fee on came with later forks, none without the one before. */
const HEADER_FIELDS = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'number'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'number'],
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
] as const;

/** Services say it in their own words, under codes of their own. */
const UNSUPPORTED = /not (found|supported|available|allowed|exist)|unsupported|unknown method/i;

const bytes = (hex: string): Uint8Array => hexToBytes(hex.slice(2));
const number = (hex: string): Uint8Array => unsignedBytes(BigInt(hex));

/**
 * Collects what binds an anchor to the hash of its block. Null where header or receipts do not encode to what the block
 * says, as on chains with fields of their own: a proof that would not verify is none.
 */
export const blockEvidence = async (
  client: PublicClient,
  contract: string,
  { originHash, size }: Head,
  { hash, blockHash }: Mined,
): Promise<StoredEvidence | null> => {
  const block = await client.request({
    method: 'eth_getBlockByHash',
    params: [blockHash as Hex, false],
  });
  if (!block) return null;
  const header = encodeHeader(block);
  if (`0x${bytesToHex(keccak_256(header))}` !== blockHash) return null;
  const receipts = await receiptsOf(client, blockHash as Hex);
  const receiptIndex = receipts.findIndex(({ transactionHash }) => transactionHash === hash);
  const logs = receipts[receiptIndex]?.logs ?? [];
  const logIndex = logs.findIndex(
    ({ address, topics }) =>
      address.toLowerCase() === contract &&
      topics[0] === ANCHORED_TOPIC &&
      topics[1] === originHash &&
      BigInt(topics[2] ?? 0) === size,
  );
  if (logIndex < 0) return null;
  const { root, path } = receiptTrie(receipts.map(encodeReceipt), receiptIndex);
  if (`0x${bytesToHex(root)}` !== block.receiptsRoot) return null;
  return { header: bytesToHex(header), receiptIndex, receiptPath: path.map(bytesToHex), logIndex };
};

/** All receipts of a block in one request; none from a node that does not offer it. */
const receiptsOf = async (client: PublicClient, blockHash: Hex): Promise<RpcTransactionReceipt[]> => {
  const request = { method: 'eth_getBlockReceipts', params: [blockHash] } as never;
  try {
    return (await client.request(request)) ?? [];
  } catch (error) {
    if (error instanceof BaseError && UNSUPPORTED.test(error.details)) return [];
    throw error;
  }
};

const encodeHeader = (block: RpcBlock): Uint8Array => {
  const values = block as unknown as Readonly<Record<string, string | undefined>>;
  const items: RlpItem[] = [];
  for (const [name, form] of HEADER_FIELDS) {
    const value = values[name];
    if (typeof value !== 'string') break;
    items.push(form === 'bytes' ? bytes(value) : number(value));
  }
  return encodeRlp(items);
};

const encodeReceipt = (receipt: RpcTransactionReceipt): Uint8Array => {
  const content = encodeRlp([
    number(receipt.status),
    number(receipt.cumulativeGasUsed),
    bytes(receipt.logsBloom),
    receipt.logs.map(({ address, topics, data }) => [bytes(address), topics.map(bytes), bytes(data)]),
  ]);
  const type = Number(receipt.type);
  return type === 0 ? content : Uint8Array.of(type, ...content);
};
