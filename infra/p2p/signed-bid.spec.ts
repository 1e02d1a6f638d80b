import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMicro } from '../../domain/money.ts';
import { isSignedBid, signBid } from './signed-bid.ts';

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const terms = fc.record({ auctionId: fc.string(), price: fc.bigInt({ min: 0n }).map(toMicro) });

describe('signed bid', () => {
  it('verifies under its own key and for its own terms only', () => {
    fc.assert(
      fc.property(seed, seed, terms, terms, (one, two, bid, other) => {
        const signature = signBid(one, bid);
        const isOwn = (key: Uint8Array, content: typeof bid) =>
          isSignedBid(ed25519.getPublicKey(key), content, signature);
        expect(isOwn(one, bid)).toBe(true);
        if (other.auctionId !== bid.auctionId || other.price !== bid.price)
          expect(isOwn(one, other)).toBe(false);
        if (!Buffer.from(one).equals(Buffer.from(two))) expect(isOwn(two, bid)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('takes nothing malformed for a signature', () => {
    const bid = { auctionId: 'auction-1', price: toMicro('1') };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 70 }), (key, signature) => {
        expect(isSignedBid(key, bid, signature)).toBe(false);
      }),
    );
    expect(isSignedBid(new Uint8Array(32).fill(255), bid, new Uint8Array(64))).toBe(false);
  });
});
