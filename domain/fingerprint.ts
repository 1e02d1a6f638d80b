import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from './json.ts';
import type { Ask, JournalBatch } from './ports/journal.ts';

/** What a fingerprint covers. With every change of that it is another number: fingerprints of different schemes say nothing. */
const SCHEME = '2:';

/** Half of a SHA-256: it tells decisions apart, and nobody gains by making two alike. */
const HEX_DIGITS = 32;

/** From a text to the SHA-256 of its UTF-8, as hex digits. */
export type Sha256Hex = (text: string) => string;

const portableSha256: Sha256Hex = (text) => bytesToHex(sha256(utf8ToBytes(text)));

/**
 * What a step decided, as its scheme and 32 hex digits: events, their contexts and the money that follows, and, by its
 * digest, what it asks for. A workflow that is replayed decides again; another fingerprint than the recorded one says that
 * a rule of its version has changed.
 *
 * @param hash the platform's own, where there is one: it is several times as fast.
 */
export const fingerprintOf = (
  batches: readonly JournalBatch[],
  asks: readonly Ask[] = [],
  hash: Sha256Hex = portableSha256,
): string => {
  const digestOf = (value: unknown): string => hash(canonicalJson(value)).slice(0, HEX_DIGITS);
  return SCHEME + digestOf(asks.length > 0 ? { asks: digestOf(asks), batches } : batches);
};

/** Whether `recorded` is another decision than `decided`; not when it was made by another scheme, which cannot be told. */
export const contradicts = (recorded: string, decided: string): boolean =>
  recorded.startsWith(SCHEME) && recorded !== decided;
