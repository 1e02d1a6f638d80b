import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { ulidFrom } from '../ids.ts';
import { canonicalJson } from '../json.ts';
import { leafHash, merkleTree } from '../merkle.ts';

const bytesOf = (value: unknown): Uint8Array => utf8ToBytes(canonicalJson(value));

/** Hex SHA-256 of the canonical form of anything JSON. */
export const hashOfJson = (value: unknown): string => bytesToHex(sha256(bytesOf(value)));

/** `proof-<ulid>` derived from a record: the same id with another record cannot exist. */
export const idOfRecord = (record: unknown): string => `proof-${ulidFrom(sha256(bytesOf(record)))}`;

/** Hex root of the RFC 6962 tree over the canonical forms of `items`, their signatures included. */
export const rootOfJson = (items: readonly unknown[]): string =>
  bytesToHex(merkleTree(items.map((item) => leafHash(bytesOf(item)))).root);
