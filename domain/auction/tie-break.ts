import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

const lot = (seed: string, bidId: string): string => bytesToHex(sha256(utf8ToBytes(`${seed}|${bidId}`)));

/**
 * Puts bids in the order of SHA-256(seed ‖ `|` ‖ bid id). The seed is fixed before any bid, so the order follows neither
 * arrival nor id, and nobody can choose a bid id for it.
 */
export const inTieOrder = <B extends { readonly bidId: string }>(seed: string, bids: readonly B[]): B[] =>
  bids
    .map((bid) => ({ bid, lot: lot(seed, bid.bidId) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : a.bid.bidId < b.bid.bidId ? -1 : 1))
    .map(({ bid }) => bid);

/** A number in [0, 1) drawn from the seed for one purpose; 48 bits. */
export const drawFrom = (seed: string, purpose: string): number =>
  Number.parseInt(lot(seed, purpose).slice(0, 12), 16) / 2 ** 48;
