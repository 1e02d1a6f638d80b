import type { Hex } from 'viem';
import { ChainError } from './chain.ts';
import { ABI } from './contract/contract.ts';
import { deploy } from './deploy.ts';
import { type Evm, nullWithoutContract } from './evm.ts';

/** Part of an ether that an account on anvil is never below; the rest of that chain's money is as unreal. */
const PLAY_BALANCE = 10n ** 18n;

/** Sees to money, where it is play money, and to the contract. @returns whether all is there. @throws ChainError */
export const prepare = async (evm: Evm): Promise<boolean> => {
  const { client, account, address, isAnvil, isGiven } = evm;
  if (isAnvil && (await client.getBalance({ address: account.address })) < PLAY_BALANCE) {
    const params: [Hex, Hex] = [account.address, `0x${(PLAY_BALANCE * 1_000_000n).toString(16)}`];
    // anvil's own method; viem types the standard ones alone.
    await client.request({ method: 'anvil_setBalance', params } as never);
  }
  const isDeployed = isGiven
    ? (await client.getCode({ address })) !== undefined
    : await deploy(client, account, evm.chainId);
  if (!isDeployed && isGiven) throw new ChainError(`there is no contract at ${address}`);
  if (!isDeployed) return false;
  const call = { address, abi: ABI, functionName: 'publisher' } as const;
  const publisher = await nullWithoutContract(() => client.readContract(call));
  // A node may show the code of a block a moment before it answers calls in its state.
  if (publisher === null) return false;
  if (publisher !== account.address) {
    throw new ChainError(
      `the contract takes anchors of ${publisher}, and the key is that of ${account.address}`,
    );
  }
  return true;
};
