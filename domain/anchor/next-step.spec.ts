import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMs, instant } from '../time.ts';
import {
  type ChainView,
  type Mined,
  nextStep,
  type OpenAnchor,
  type SignedTransaction,
} from './next-step.ts';

const NOW = instant(1_000_000);
const POLICY = { confirmations: 3n, replaceAfterMs: 60_000 };
const signed = (nonce: bigint, age = 0): SignedTransaction => ({
  hash: `hash-${nonce}-${age}`,
  nonce,
  raw: 'raw',
  signedAt: addMs(NOW, -age),
});
const mined = (block: bigint, succeeded = true): Mined => ({
  hash: 'hash',
  block,
  blockHash: 'block',
  succeeded,
});
const anchor = (...transactions: SignedTransaction[]): OpenAnchor => ({
  size: 10n,
  root: '0xaa',
  transactions,
});
const view = (change: Partial<ChainView> = {}): ChainView => ({
  head: 100n,
  nonce: 5n,
  last: { size: 4n, root: '0x44', block: 90n },
  mined: [],
  ...change,
});
const step = (open: OpenAnchor, seen: ChainView) => nextStep(open, seen, POLICY, NOW);

describe('the next step of an anchor', () => {
  it('signs with the next nonce, and sends what was signed again until it is mined', () => {
    expect(step(anchor(), view())).toEqual({ type: 'sign', nonce: 5n, replaces: null });
    expect(step(anchor(signed(5n)), view())).toEqual({ type: 'broadcast', transaction: signed(5n) });
  });

  it('signs anew only when another transaction took the nonce, or the chain fell behind it', () => {
    expect(step(anchor(signed(4n)), view())).toEqual({ type: 'sign', nonce: 5n, replaces: null });
    expect(step(anchor(signed(7n)), view())).toEqual({ type: 'sign', nonce: 5n, replaces: null });
  });

  it('outbids a transaction that is not mined in time, with the same nonce', () => {
    const slow = signed(5n, 60_000);
    expect(step(anchor(slow), view())).toEqual({ type: 'sign', nonce: 5n, replaces: slow });
    expect(step(anchor(signed(5n), slow), view())).toEqual({ type: 'broadcast', transaction: signed(5n) });
  });

  it('confirms at the depth that makes it final', () => {
    expect(step(anchor(signed(4n)), view({ mined: [mined(99n)] }))).toEqual({ type: 'wait' });
    expect(step(anchor(signed(4n)), view({ mined: [mined(98n)] }))).toEqual({
      type: 'confirm',
      mined: mined(98n),
    });
    expect(step(anchor(signed(4n)), view({ mined: [mined(98n, false)] })).type).toBe('sign');
  });

  it('sees what the contract holds already', () => {
    const last = { size: 10n, root: '0xaa', block: 97n };
    expect(step(anchor(), view({ last }))).toEqual({ type: 'adopt', block: 97n });
    expect(step(anchor(), view({ last: { ...last, root: '0xbb' } }))).toEqual({ type: 'conflict' });
    expect(step(anchor(), view({ last: { ...last, size: 11n } }))).toEqual({ type: 'supersede' });
  });

  it('never signs or sends when the contract has the size, whatever else is seen', () => {
    const transactions = fc.array(fc.tuple(fc.bigInt(0n, 9n), fc.nat(120_000)), { maxLength: 4 });
    fc.assert(
      fc.property(
        transactions,
        fc.bigInt(0n, 9n),
        fc.bigInt(10n, 20n),
        fc.boolean(),
        (list, nonce, size, failed) => {
          const open = anchor(...list.map(([each, age]) => signed(each, age)));
          const seen = view({
            nonce,
            last: { size, root: '0xaa', block: 90n },
            mined: failed ? [mined(90n, false)] : [],
          });
          expect(['adopt', 'supersede']).toContain(step(open, seen).type);
        },
      ),
    );
  });
});
