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
