import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { bytesOrNothing } from './evidence.ts';

/**
 * Whether the Ed25519 key (32 bytes, hex) signed the message; `signature` is base64url. By the rules of RFC 8032 rather
 * than ZIP 215: no second encoding of a key or a point.
 */
export const signedBy = (key: string, message: Uint8Array, signature: string): boolean => {
  const bytes = bytesOrNothing(signature);
  return bytes.length === 64 && ed25519.verify(bytes, message, hexToBytes(key), { zip215: false });
};
