import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ecvrfProve, type VrfKey, vrfKey } from '../vrf/prove.ts';
import { ecvrfVerify } from '../vrf/verify.ts';
import { text } from './encode.ts';
import { TOPOLOGY_SUITE } from './selection.ts';

/**
 * The VRF key of a node: derived from its identity, so that there is one secret to keep, and another key than the
 * identity's, because a key that signs must not also prove (see `vrfKey`).
 */
export const nodeVrfKey = (identitySeed: Uint8Array): VrfKey =>
  vrfKey(hmac(sha256, identitySeed, utf8ToBytes('aivillage-node-vrf-key-v1')));

/** `identity` is the node's Ed25519 key, hex: the key is registered for this node and no other. */
const possessionAlpha = (identity: string): Uint8Array =>
  concatBytes(utf8ToBytes('fog-vrf-key-v1'), text(identity));

/** Proves possession of `key` to whoever registers it for the node `identity`; hex. */
export const provePossession = (key: VrfKey, identity: string): string =>
  bytesToHex(ecvrfProve(TOPOLOGY_SUITE, key, possessionAlpha(identity)).proof);

/** Whether the node `identity` holds the secret of `publicKey`. */
export const holdsVrfKey = (identity: string, publicKey: Uint8Array, proof: Uint8Array): boolean =>
  ecvrfVerify({ suite: TOPOLOGY_SUITE, publicKey, alpha: possessionAlpha(identity), proof }) !== null;
