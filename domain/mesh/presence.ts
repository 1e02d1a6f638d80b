import { HEARTBEAT_SECONDS, MISSED_HEARTBEATS } from '../tiers.ts';

export type Presence = 'up' | 'suspected' | 'lost';

const INTERVAL_MS = HEARTBEAT_SECONDS * 1000;
/** A beat is late, not missed, for half an interval: timers and networks jitter. */
const GRACE_MS = INTERVAL_MS / 2;
/** One missed beat happens on a busy host; two in a row are worth an event. */
const SUSPECTED_BEATS = 2;

/** How many beats in a row are missing, `silentMs` after the last one. */
export const missedBeats = (silentMs: number): number =>
  Math.max(0, Math.floor((silentMs - GRACE_MS) / INTERVAL_MS));

/** Three missed beats make a provider lost (settled 18). */
export const presenceAfter = (silentMs: number): Presence => {
  const missed = missedBeats(silentMs);
  if (missed >= MISSED_HEARTBEATS) return 'lost';
  return missed >= SUSPECTED_BEATS ? 'suspected' : 'up';
};

const RANK: Readonly<Record<Presence, number>> = { up: 0, suspected: 1, lost: 2 };

/**
 * What a provider's presence is now. It improves by a beat alone, whose age is `silentMs`; it worsens by the part of
 * the silence that somebody listened to (`heardMs` <= `silentMs`): an engine that was away accuses nobody.
 * @param told what the provider's stream says; null before the first beat.
 */
export const nextPresence = (told: Presence | null, silentMs: number, heardMs: number): Presence | null => {
  if (presenceAfter(silentMs) === 'up') return 'up';
  const observed = presenceAfter(heardMs);
  if (told === null) return observed === 'up' ? null : observed;
  return RANK[observed] > RANK[told] ? observed : told;
};
