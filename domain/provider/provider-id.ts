import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';

/** The provider that a node key (hex Ed25519) names: whoever has proved the key needs no registry to know the id. */
export const providerIdOf = (publicKey: string): string =>
  `provider-${ulidFrom(sha256(utf8ToBytes(`aivillage-provider-v1\n${publicKey}`)))}`;
