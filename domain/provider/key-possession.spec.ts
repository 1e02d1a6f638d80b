import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { holdsKey, signOwner } from './key-possession.ts';

const SEED = new Uint8Array(32).fill(7);
const publicKey = bytesToHex(ed25519.getPublicKey(SEED));
const claim = { publicKey, owner: 'subject-1' };

test('a key is shown to be held by its signature over itself and its owner, and by nothing else', () => {
  const signature = signOwner(SEED, claim);
  expect(holdsKey(claim, signature)).toBe(true);
  expect(holdsKey({ ...claim, owner: 'subject-2' }, signature)).toBe(false);
  const other = bytesToHex(ed25519.getPublicKey(new Uint8Array(32).fill(8)));
  expect(holdsKey({ ...claim, publicKey: other }, signature)).toBe(false);
  for (let bit = 0; bit < 512; bit++) {
    const altered = signature.slice();
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(holdsKey(claim, altered)).toBe(false);
  }
  expect(holdsKey(claim, signature.subarray(1))).toBe(false);
  // A signature under another domain is none here.
  const json = JSON.stringify({ owner: claim.owner, publicKey });
  expect(holdsKey(claim, ed25519.sign(utf8ToBytes(`aivillage-bid-v1\n${json}`), SEED))).toBe(false);
});

test('a key that is no point is held by nobody', () => {
  expect(holdsKey({ publicKey: 'ff'.repeat(32), owner: 'subject-1' }, signOwner(SEED, claim))).toBe(false);
});
