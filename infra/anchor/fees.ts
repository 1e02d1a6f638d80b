import type { PublicClient } from 'viem';

/** What a transaction offers for gas, in wei: by EIP-1559, or one price where a chain knows nothing else. */
export type Fees =
  | { readonly type: 'eip1559'; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 'legacy'; readonly gasPrice: bigint };

export const feesOf = async (client: PublicClient): Promise<Fees> => {
  const { baseFeePerGas } = await client.getBlock();
  if (baseFeePerGas === null) return { type: 'legacy', gasPrice: await client.getGasPrice() };
  const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
  return { type: 'eip1559', maxFeePerGas, maxPriorityFeePerGas };
};

/** Nodes take a replacement that offers at least a tenth more, of each price; a quarter leaves room. */
const raised = (price: bigint): bigint => (price * 5n) / 4n + 1n;

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Fees by which a transaction replaces one that offers `old` with the same nonce. */
export const outbid = (fees: Fees, old: Fees | null): Fees => {
  if (old === null) return fees;
  if (fees.type === 'eip1559' && old.type === 'eip1559') {
    return {
      type: 'eip1559',
      maxFeePerGas: larger(fees.maxFeePerGas, raised(old.maxFeePerGas)),
      maxPriorityFeePerGas: larger(fees.maxPriorityFeePerGas, raised(old.maxPriorityFeePerGas)),
    };
  }
  if (fees.type === 'legacy' && old.type === 'legacy') {
    return { type: 'legacy', gasPrice: larger(fees.gasPrice, raised(old.gasPrice)) };
  }
  throw new RangeError('a chain does not change its kind of fees');
};
