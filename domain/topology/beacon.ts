import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { fixed, text, u64 } from './encode.ts';
import type { BeaconSource } from './events.ts';

/**
 * The beacon of an epoch: SHA-256 over its place and a hash of the log that covers the commitment to the candidates, so
 * that it cannot be known while keys are registered or candidates chosen. 32 bytes.
 */
export const beaconFrom = (network: string, epoch: number, { kind, size, hash }: BeaconSource): Uint8Array =>
  sha256(
    concatBytes(
      utf8ToBytes('fog-nbr-beacon-v1'),
      text(network),
      u64(epoch),
      text(kind),
      text(size),
      fixed(hexToBytes(hash), 32),
    ),
  );
