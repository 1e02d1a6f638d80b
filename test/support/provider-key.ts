import { randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { signOwner } from '../../domain/provider/key-possession.ts';

/** A fresh node key as `POST /v1/providers` takes it: with its own word that it works for `owner`. */
export const newProviderKey = (owner: string): { pubkey: string; proof_of_possession: string } => {
  const seed = randomBytes(32);
  const pubkey = Buffer.from(ed25519.getPublicKey(seed)).toString('hex');
  const proof = signOwner(seed, { publicKey: pubkey, owner });
  return { pubkey, proof_of_possession: Buffer.from(proof).toString('base64url') };
};
