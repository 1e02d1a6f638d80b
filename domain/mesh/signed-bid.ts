import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';
import type { Micro } from '../money.ts';

export interface BidTerms {
  readonly auctionId: string;
  readonly price: Micro;
}

const DOMAIN = 'aivillage-bid-v1\n';

const signingBytes = ({ auctionId, price }: BidTerms): Uint8Array =>
  utf8ToBytes(DOMAIN + canonicalJson({ auctionId, price }));

/** Ed25519 signature (64 bytes) of a node over its bid. `seed` is the node's 32-byte key. */
export const signBid = (seed: Uint8Array, bid: BidTerms): Uint8Array => ed25519.sign(signingBytes(bid), seed);

/** Whether `signature` is the node's over exactly this bid. Strict RFC 8032; malformed input is just not a signature. */
export const isSignedBid = (publicKey: Uint8Array, bid: BidTerms, signature: Uint8Array): boolean => {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  return ed25519.verify(signature, signingBytes(bid), publicKey, { zip215: false });
};
