import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import { leafHash, merkleTree } from '../../domain/merkle.ts';
import { instant } from '../../domain/time.ts';
import { createAnchorer } from '../../infra/anchor/anchorer.ts';
import { type Anchors, createAnchors } from '../../infra/anchor/anchors.ts';
import type { AnchorChain } from '../../infra/anchor/chain.ts';
import { connectEvmChain, type EvmOptions } from '../../infra/anchor/evm-chain.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import type { TransparencyLog } from '../../infra/tlog/transparency-log.ts';
import { ANCHORED_TOPIC, originHashOf } from '../../infra/verify/anchor.ts';
import type { TestChain } from './anvil.ts';

/** A log that has the length a test gives it. */
export interface TestLog extends Pick<TransparencyLog, 'newest' | 'rootAt'> {
  readonly origin: string;
  grow(size: number): void;
}

export const createTestLog = (): TestLog => {
  const signer = createCheckpointSigner([new Uint8Array(32).fill(7)]);
  const rootOf = (size: bigint): Uint8Array =>
    merkleTree(Array.from({ length: Number(size) }, (_, index) => leafHash(utf8ToBytes(`leaf ${index}`))))
      .root;
  let size = 0n;
  return {
    origin: signer.origin,
    grow: (to) => {
      size = BigInt(to);
    },
    newest: async () => {
      if (size === 0n) return null;
      const root = rootOf(size);
      const { publicKey } = signer;
      return { size, root, note: signer.sign({ size, root }), publicKey, signedAt: instant(0) };
    },
    rootAt: async (at) => rootOf(at),
  };
};

const MOST_ROUNDS = 1_000;
const RESTING_ROUNDS = 20;

/** The key of a test's publisher. */
const KEY = new Uint8Array(32).fill(3);

export const connectTestChain = (
  { url }: Pick<TestChain, 'url'>,
  other: Partial<EvmOptions> = {},
): Promise<AnchorChain> => connectEvmChain({ rpcUrl: url, key: KEY, contract: null, ...other });

/** Sizes of the anchors that the chain holds, in its order. */
export const anchoredSizes = async (chain: TestChain, contract: string): Promise<number[]> => {
  const filter = { address: contract, fromBlock: '0x0', toBlock: 'latest', topics: [ANCHORED_TOPIC] };
  const logs = await chain.call<{ topics: string[] }[]>('eth_getLogs', filter);
  return logs.map(({ topics }) => Number(topics[2]));
};

export interface TestAnchoring {
  readonly anchors: Anchors;
  /** Rounds until the chain holds the newest head and nothing is under way; as many as a slow chain may take. */
  settle(): Promise<void>;
  /** Enough rounds to do all that can be done while the chain stands still. */
  rest(): Promise<void>;
  round(): Promise<'moved' | 'waits' | 'rests'>;
}

/** How every object that anchoring uses is seen by it. */
export type Disturb = <T extends object>(target: T) => T;

export const createTestAnchoring = (
  pool: Pool,
  log: TestLog,
  chain: AnchorChain,
  {
    disturb = (target) => target,
    confirmations = 1n,
    now = () => instant(0),
  }: { disturb?: Disturb; confirmations?: bigint; now?: () => string } = {},
): TestAnchoring => {
  const anchors = createAnchors(pool, chain);
  const originHash = `0x${bytesToHex(originHashOf(log.origin))}`;
  const { round } = createAnchorer({
    transparency: disturb(log),
    anchors: disturb(anchors),
    chain: disturb(chain),
    policy: { leaves: 1n, intervalMs: 3_600_000, confirmations, replaceAfterMs: 600_000 },
    now,
  });
  return {
    anchors,
    round,
    settle: async () => {
      for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
        if ((await round()) === 'moved') continue;
        const [last, newest] = [await chain.last(originHash), await log.newest()];
        if (last?.size === newest?.size && (await anchors.open()).length === 0) return;
      }
      throw new Error('it never settles');
    },
    rest: async () => {
      for (let rounds = 0; rounds < RESTING_ROUNDS; rounds++) await round();
    },
  };
};
