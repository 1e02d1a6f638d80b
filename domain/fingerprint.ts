import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from './json.ts';
import type { JournalBatch } from './ports/journal.ts';

/** Half of a SHA-256: it tells decisions apart, and nobody gains by making two alike. */
const BYTES = 16;

/**
 * What a step decided, in 32 hex digits: events, their contexts and the money that follows. A workflow that is replayed
 * decides again; another fingerprint than the recorded one says that a rule of its version has changed.
 */
export const fingerprintOf = (batches: readonly JournalBatch[]): string =>
  bytesToHex(sha256(utf8ToBytes(canonicalJson(batches))).subarray(0, BYTES));
