import { sign } from 'node:crypto';
import { type BidTerms, signedBytesOfBid } from '../../domain/mesh/signed-bid.ts';
import { ed25519Key, verifyEd25519 } from '../keys/ed25519.ts';

/** Ed25519 signature (64 bytes) of a node over its bid. `seed` is the node's 32-byte key. */
export const signBid = (seed: Uint8Array, bid: BidTerms): Uint8Array =>
  sign(null, signedBytesOfBid(bid), ed25519Key(seed).privateKey);

/** Whether `signature` is the node's over exactly this bid; malformed input is just not a signature. */
export const isSignedBid = (publicKey: Uint8Array, bid: BidTerms, signature: Uint8Array): boolean =>
  verifyEd25519(publicKey, signedBytesOfBid(bid), signature);
