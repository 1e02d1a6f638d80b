import { type Hex, type PublicClient, TransactionReceiptNotFoundError } from 'viem';
import type { Mined } from '../../domain/anchor/next-step.ts';
import type { Head } from './chain.ts';
import { ABI } from './contract/contract.ts';
import type { Evm } from './evm.ts';

/** Where a transaction is; null while it is in no block. */
export const minedOf = async (client: PublicClient, hash: Hex): Promise<Mined | null> => {
  try {
    const receipt = await client.getTransactionReceipt({ hash });
    return {
      hash,
      block: receipt.blockNumber,
      blockHash: receipt.blockHash,
      succeeded: receipt.status === 'success',
    };
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return null;
    throw error;
  }
};

/** The transaction that anchored `head`, which the contract says is in `block`. */
export const findMined = async (
  { client, address }: Pick<Evm, 'client' | 'address'>,
  head: Head,
  block: bigint,
): Promise<Mined | null> => {
  const [event] = await client.getContractEvents({
    address,
    abi: ABI,
    eventName: 'Anchored',
    args: { originHash: head.originHash as Hex, size: head.size },
    fromBlock: block,
    toBlock: block,
  });
  return event ? minedOf(client, event.transactionHash) : null;
};

/** Hash of the block of that number in the chain as it is now; null when there is none. */
export const blockHash = async (client: PublicClient, number: bigint): Promise<string | null> => {
  // Straight, for an absent block is an answer here.
  const block = await client.request({
    method: 'eth_getBlockByNumber',
    params: [`0x${number.toString(16)}`, false],
  });
  return block?.hash ?? null;
};
