import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from '../json.ts';

/** A node key (hex Ed25519) and the principal it shall work for. */
export interface KeyClaim {
  readonly publicKey: string;
  readonly owner: string;
}

const DOMAIN = 'aivillage-provider-key-v1\n';

const signingBytes = ({ publicKey, owner }: KeyClaim): Uint8Array =>
  utf8ToBytes(DOMAIN + canonicalJson({ owner, publicKey }));

/** The node's word that it works for `owner`: an Ed25519 signature, 64 bytes, by its 32-byte seed. */
export const signOwner = (seed: Uint8Array, claim: KeyClaim): Uint8Array =>
  ed25519.sign(signingBytes(claim), seed);

/** Whether the node key signed exactly this claim: nobody registers a key that he does not hold. Strict RFC 8032. */
export const holdsKey = (claim: KeyClaim, signature: Uint8Array): boolean =>
  signature.length === 64 &&
  ed25519.verify(signature, signingBytes(claim), hexToBytes(claim.publicKey), { zip215: false });
