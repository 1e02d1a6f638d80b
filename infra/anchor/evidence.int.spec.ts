import { hexToBytes } from '@noble/hashes/utils.js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { anchoredSizes, connectTestChain, createTestLog } from '../../test/support/anchoring.ts';
import { startChain, type TestChain } from '../../test/support/anvil.ts';
import { originHashOf, verifyAnchor } from '../verify/anchor.ts';
import type { AnchorChain } from './chain.ts';

let chain: TestChain;
let evm: AnchorChain;
beforeAll(async () => {
  chain = await startChain();
  evm = await connectTestChain(chain);
});
afterAll(() => chain?.stop());
beforeEach(() => chain.reset());

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;
const bytes = (text: string) => hexToBytes(text.replace(/^0x/, ''));

/** Mines a block of `before` foreign transactions, the anchor and `after` more. */
const anchorAmong = async (before: number, after: number) => {
  while (!(await evm.prepare())) continue;
  const [account] = await chain.call<string[]>('eth_accounts');
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent++)
      await chain.call('eth_sendTransaction', { from: account, to: account, value: '0x1' });
  };
  const log = createTestLog();
  log.grow(5);
  const root = await log.rootAt(5n);
  const head = { originHash: hex(originHashOf(log.origin)), size: 5n, root: hex(root) };
  await chain.call('evm_setAutomine', false);
  await send(before);
  const signed = await evm.sign(head, await evm.nonce(), null);
  await evm.broadcast({ ...signed, signedAt: '' });
  await send(after);
  await chain.call('anvil_mine', '0x1');
  await chain.call('evm_setAutomine', true);
  const [mined] = await evm.mined([signed.hash]);
  if (!mined) throw new Error('the anchor was not mined');
  return { log, head, root, mined, evidence: await evm.evidence(head, mined) };
};

it.each([
  [0, 0],
  [2, 3],
  [20, 1],
  [0, 140],
])('verifies offline in a block with %i transactions before it and %i after', async (before, after) => {
  const { log, root, mined, evidence } = await anchorAmong(before, after);
  if (!evidence) throw new Error('the block gave no evidence');
  const { hash } = await chain.call<{ hash: string }>(
    'eth_getBlockByNumber',
    `0x${mined.block.toString(16)}`,
    false,
  );
  const input = {
    origin: log.origin,
    size: 5n,
    root,
    contract: bytes(evm.contract),
    blockHash: bytes(hash),
    evidence: {
      ...evidence,
      header: bytes(evidence.header),
      receiptPath: evidence.receiptPath.map(bytes),
    },
  };
  expect(verifyAnchor(input)).toMatchObject({ valid: true, block: mined.block });
  expect(verifyAnchor({ ...input, size: 6n })).toEqual({ valid: false, code: 'SIZE_MISMATCH' });
  expect(await anchoredSizes(chain, evm.contract)).toEqual([5]);
});

it('takes anchors of the publisher alone, of growing sizes alone', async () => {
  const { head } = await anchorAmong(0, 0);
  const nonce = await evm.nonce();
  await expect(evm.sign(head, nonce, null)).rejects.toThrow(/SizeMustGrow/);
  const stranger = await connectTestChain(chain, { key: new Uint8Array(32).fill(9), contract: evm.contract });
  await expect(stranger.sign({ ...head, size: 6n }, 0n, null)).rejects.toThrow(/NotThePublisher/);
  await expect(stranger.prepare()).rejects.toThrow(/takes anchors of/);
});

it('is labelled as what it is, and says nothing secret when it cannot be reached', async () => {
  expect(evm).toMatchObject({ chain: 'eip155:31337', simulated: true, confirmations: 1n });
  const url = 'http://127.0.0.1:9/v3/secret-of-a-provider';
  const error = await connectTestChain({ url }).then(
    () => null,
    (reason: unknown) => reason as Error,
  );
  expect(error?.name).toBe('ChainError');
  expect(`${error?.message} ${error?.stack}`).not.toContain('secret');
});
