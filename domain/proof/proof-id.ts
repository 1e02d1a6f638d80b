import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import { canonicalJson } from '../json.ts';
import type { ExecutionRecord } from './record.ts';

/** `proof-<ulid>` derived from the record: the same id with another body cannot exist. */
export const proofIdOf = (record: ExecutionRecord): string =>
  `proof-${ulidFrom(sha256(utf8ToBytes(canonicalJson(record))))}`;

/** The bytes the enclave key signs. */
export const signedBytesOf = (record: ExecutionRecord): Uint8Array =>
  utf8ToBytes(`aivillage-proof-of-execution-v${record.version}\n${canonicalJson(record)}`);
