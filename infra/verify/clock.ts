import { MalformedError } from './der.ts';

/** An injected clock reading: RFC 3339 text, a Date, or Unix seconds. */
export type Now = string | Date | number;

/** Milliseconds since 1970. @throws MalformedError when it is not an instant. */
export const nowMs = (now: Now): number => {
  const ms = typeof now === 'number' ? now * 1000 : now instanceof Date ? now.getTime() : Date.parse(now);
  if (!Number.isFinite(ms)) throw new MalformedError('now is not an instant');
  return ms;
};

/** Clocks of a node and of a verifier may differ by this much. */
export const CLOCK_SKEW_MS = 60_000;
