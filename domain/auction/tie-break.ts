import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** A number in [0, 1) drawn from the seed for one purpose: the first 48 bits of SHA-256(seed ‖ `|` ‖ purpose). */
export const drawFrom = (seed: string, purpose: string): number =>
  Number.parseInt(bytesToHex(sha256(utf8ToBytes(`${seed}|${purpose}`)).subarray(0, 6)), 16) / 2 ** 48;

/** The lot of each bid, by bid id. */
export type Lots = ReadonlyMap<string, number>;

/**
 * Draws a lot for each bid from the seed, which is fixed before any bid: lots follow neither arrival nor id, and nobody
 * can choose a bid id for one.
 */
export const drawLots = (seed: string, bids: readonly { readonly bidId: string }[]): Lots =>
  new Map(bids.map(({ bidId }) => [bidId, drawFrom(seed, bidId)]));

export const lotOf = (lots: Lots, bidId: string): number => lots.get(bidId) ?? 0;

/** Bids in the order of their lots. */
export const inTieOrder = <B extends { readonly bidId: string }>(lots: Lots, bids: readonly B[]): B[] =>
  bids.toSorted(
    (a, b) =>
      lotOf(lots, a.bidId) - lotOf(lots, b.bidId) || (a.bidId < b.bidId ? -1 : a.bidId > b.bidId ? 1 : 0),
  );
