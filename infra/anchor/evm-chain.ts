import { bytesToHex } from '@noble/hashes/utils.js';
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  encodeFunctionData,
  type Hex,
  http,
  keccak256,
  type PublicClient,
  parseTransaction,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type AnchorChain, ChainError, type Head } from './chain.ts';
import { ABI } from './contract/contract.ts';
import { contractAddress } from './deploy.ts';
import { blockEvidence } from './evidence.ts';
import { type Evm, nullWithoutContract } from './evm.ts';
import { type Fees, feesOf, outbid } from './fees.ts';
import { blockHash, findMined, minedOf } from './mined.ts';
import { prepare } from './prepare.ts';

export interface EvmOptions {
  readonly rpcUrl: string;
  /** 32-byte secp256k1 private key of the publisher. */
  readonly key: Uint8Array;
  /** A contract that was deployed by other means; otherwise one is deployed where its code and publisher determine. */
  readonly contract: string | null;
}

const REQUEST_MS = 10_000;
/** Programs for development, by what they say of themselves, and the chain ids that they use by convention. */
const DEVELOPMENT_CLIENT = /^(anvil|hardhat|ganache)/i;
const DEVELOPMENT_CHAINS: readonly number[] = [1337, 31_337];
/** What nodes say of a transaction that they, or the chain, have already. */
const KNOWN = /already (known|imported|in)|known transaction|nonce too low/i;
/** Allowance over the estimate: the first head of a log costs more than the next. */
const GAS_PERCENT = 130n;
/** Blocks that make a transaction final; a development chain mines one when it is sent one. */
const CONFIRMATIONS = { public: 6n, development: 1n };

/** Errors of viem name the URL, and with it a provider's key; its short message does not. */
const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BaseError) throw new ChainError(reasonOf(error));
    throw error;
  }
};

const reasonOf = (error: BaseError): string => {
  const revert = error.walk((each) => each instanceof ContractFunctionRevertedError);
  const name = revert instanceof ContractFunctionRevertedError ? revert.data?.errorName : undefined;
  return name === undefined ? error.shortMessage : `the contract refuses: ${name}`;
};

/** Reaches a chain by JSON-RPC. @throws ChainError */
export const connectEvmChain = ({ rpcUrl, key, contract }: EvmOptions): Promise<AnchorChain> =>
  guarded(async () => {
    const client = createPublicClient({ transport: http(rpcUrl, { timeout: REQUEST_MS, retryCount: 1 }) });
    const account = privateKeyToAccount(`0x${bytesToHex(key)}`);
    const chainId = await client.getChainId();
    const software = await softwareOf(client);
    const simulated = DEVELOPMENT_CLIENT.test(software) || DEVELOPMENT_CHAINS.includes(chainId);
    const address = (contract?.toLowerCase() ?? contractAddress(account.address)) as Hex;
    const evm = {
      client,
      account,
      chainId,
      address,
      isGiven: contract !== null,
      isAnvil: /^anvil/i.test(software),
    };
    return {
      chain: `eip155:${chainId}`,
      contract: address,
      simulated,
      confirmations: simulated ? CONFIRMATIONS.development : CONFIRMATIONS.public,
      ...callsOf(evm),
    };
  });

const softwareOf = (client: PublicClient): Promise<string> =>
  client.request({ method: 'web3_clientVersion' }).catch((error: unknown) => {
    // Some services do not offer it; who cannot be reached at all has been met before.
    if (error instanceof BaseError) return '';
    throw error;
  });

const callsOf = (evm: Evm): Omit<AnchorChain, 'chain' | 'contract' | 'simulated' | 'confirmations'> => {
  const { client, account, address } = evm;
  const nonce = async () => BigInt(await client.getTransactionCount({ address: account.address }));
  return {
    prepare: () => guarded(() => prepare(evm)),
    head: () => guarded(() => client.getBlockNumber({ cacheTime: 0 })),
    blockHash: (number) => guarded(() => blockHash(client, number)),
    nonce: () => guarded(nonce),
    last: (originHash) =>
      guarded(async () => {
        const args = [originHash as Hex] as const;
        const call = { address, abi: ABI, functionName: 'last', args } as const;
        const found = await nullWithoutContract(() => client.readContract(call));
        return found && { size: found[0], block: found[1], root: found[2] };
      }),
    mined: (hashes) =>
      guarded(async () => {
        const found = await Promise.all(hashes.map((hash) => minedOf(client, hash as Hex)));
        return found.filter((each) => each !== null);
      }),
    find: (head, block) => guarded(() => findMined(evm, head, block)),
    sign: (head, at, replaces) =>
      guarded(async () => {
        const to = { to: address, data: encodeFunctionData(anchorCallOf(head)) };
        // In the state without what is pending, which the transaction may be about to replace.
        const estimate = {
          ...anchorCallOf(head),
          address,
          account: account.address,
          blockTag: 'latest',
        } as const;
        const gas = await client.estimateContractGas(estimate);
        const fees = outbid(await feesOf(client), replaces && feesIn(replaces.raw as Hex));
        const raw = await account.signTransaction({
          ...to,
          ...fees,
          chainId: evm.chainId,
          nonce: Number(at),
          gas: (gas * GAS_PERCENT) / 100n,
        });
        return { hash: keccak256(raw), nonce: at, raw };
      }),
    broadcast: ({ raw }) =>
      guarded(async () => {
        await client.sendRawTransaction({ serializedTransaction: raw as Hex }).catch((error: unknown) => {
          if (!(error instanceof BaseError && KNOWN.test(error.message))) throw error;
        });
      }),
    evidence: (head, mined) => guarded(() => blockEvidence(client, address, head, mined)),
  };
};

const anchorCallOf = ({ originHash, size, root }: Head) =>
  ({ abi: ABI, functionName: 'anchor', args: [originHash as Hex, size, root as Hex] }) as const;

const feesIn = (raw: Hex): Fees => parseTransaction(raw) as Fees;
