/**
 * What comes of asking the node of a bid, before the award, to hold the capacity that its bid does not hold (settled 37):
 * it holds it now; has none left; says nothing though it could; cannot be asked, for want of a way to it from the engine;
 * or holds it in vain, since its provider needs a bond and has none that covers the order. Only `held` may win: an award
 * is a promise of capacity, and nobody answers for one that it never gave.
 */
export type Room = 'held' | 'full' | 'silent' | 'away' | 'uncovered';

/** Why a bid could not win that nothing is held against. */
export const ROOM_REASONS: Readonly<Record<Exclude<Room, 'held'>, string>> = {
  full: 'its node had no room left at the close',
  silent: 'its node did not say at the close whether it had room',
  away: 'its node could not be asked at the close whether it had room',
  uncovered: 'the bond of its provider does not cover this order',
};
