import { BaseError, ContractFunctionZeroDataError, type Hex, type PublicClient } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';

/** The publisher's account, and the contract that takes its anchors. */
export interface Evm {
  readonly client: PublicClient;
  readonly account: PrivateKeyAccount;
  readonly chainId: number;
  readonly address: Hex;
  readonly isAnvil: boolean;
  /** Whether the contract's address was given rather than derived. */
  readonly isGiven: boolean;
}

/** What a call of the contract answers; null when the contract is not there. */
export const nullWithoutContract = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof BaseError && error.walk((each) => each instanceof ContractFunctionZeroDataError))
      return null;
    throw error;
  }
};
