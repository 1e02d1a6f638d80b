import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from './json.ts';
import type { JournalBatch } from './ports/journal.ts';

/** What a fingerprint covers. With every change of that it is another number: fingerprints of different schemes say nothing. */
const SCHEME = '2:';

/** Half of a SHA-256: it tells decisions apart, and nobody gains by making two alike. */
const BYTES = 16;

const digestOf = (value: unknown): string =>
  bytesToHex(sha256(utf8ToBytes(canonicalJson(value))).subarray(0, BYTES));

/**
 * What a step asks for beside its events: a timer and its delay, an effect and its input, a child and its command, what
 * the parent is told; or the end of one of them.
 */
export type Ask = readonly [kind: string, ...details: unknown[]];

/** One short text for all that a step asks for; undefined when that is nothing. */
export const digestOfAsks = (asks: readonly Ask[]): string | undefined =>
  asks.length > 0 ? digestOf(asks) : undefined;

/**
 * What a step decided, as its scheme and 32 hex digits: events, their contexts and the money that follows, and, by its
 * digest, what it asks for. A workflow that is replayed decides again; another fingerprint than the recorded one says that a rule of its
 * version has changed.
 */
export const fingerprintOf = (batches: readonly JournalBatch[], asks?: string): string =>
  SCHEME + digestOf(asks === undefined ? batches : { asks, batches });

/** Whether `recorded` is another decision than `decided`; not when it was made by another scheme, which cannot be told. */
export const contradicts = (recorded: string, decided: string): boolean =>
  recorded.startsWith(SCHEME) && recorded !== decided;
