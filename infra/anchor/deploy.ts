import { concatHex, encodeAbiParameters, getContractAddress, type Hex, type PublicClient } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { ChainError } from './chain.ts';
import { BYTECODE } from './contract/contract.ts';
import { feesOf } from './fees.ts';

/**
 * The deterministic deployment proxy, which is at this address on nearly every EVM chain and on anvil. It deploys by
 * CREATE2, so that the contract's address follows from code and publisher: a deployment that is cut short is simply
 * looked for, nothing has to be remembered.
 */
const DEPLOYER: Hex = '0x4e59b44847b379578588920ca78fbf26c0b4956c';
const SALT: Hex = `0x${'00'.repeat(32)}`;

const creation = (publisher: Hex): Hex =>
  concatHex([BYTECODE, encodeAbiParameters([{ type: 'address' }], [publisher])]);

export const contractAddress = (publisher: Hex): Hex =>
  getContractAddress({
    opcode: 'CREATE2',
    from: DEPLOYER,
    salt: SALT,
    bytecode: creation(publisher),
  }).toLowerCase() as Hex;

/**
 * Sees that the contract of this publisher is there. @returns whether it is; false while the chain takes its time.
 * @throws ChainError
 */
export const deploy = async (
  client: PublicClient,
  account: PrivateKeyAccount,
  chainId: number,
): Promise<boolean> => {
  const { address } = account;
  const isThere = async (contract: Hex) => (await client.getCode({ address: contract })) !== undefined;
  const contract = contractAddress(address);
  // First what is pending, then what is there: a deployment that is mined in between is not sent again.
  const withPending = await client.getTransactionCount({ address, blockTag: 'pending' });
  const nonce = await client.getTransactionCount({ address });
  if (await isThere(contract)) return true;
  // Without a contract there was nothing else to send: what is pending is the deployment.
  if (withPending > nonce) return false;
  if (!(await isThere(DEPLOYER))) {
    throw new ChainError(
      'the chain lacks the deterministic deployment proxy: deploy the contract and set ANCHOR_CONTRACT',
    );
  }
  const to = { to: DEPLOYER, data: concatHex([SALT, creation(address)]) };
  const gas = await client.estimateGas({ account: address, ...to });
  const raw = await account.signTransaction({ ...to, ...(await feesOf(client)), chainId, nonce, gas });
  await client.sendRawTransaction({ serializedTransaction: raw });
  return isThere(contract);
};
