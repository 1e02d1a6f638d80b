import { randomInt } from 'node:crypto';

const FIRST_MS = 250;
const ENGINE_CAP_MS = 10_000;

/**
 * How long to wait before try `attempt` (from 0): doubling up to `capMs`, drawn evenly from the upper half, so that nodes
 * which lost the engine together do not come back together.
 */
export const backoffMs = (attempt: number, capMs = ENGINE_CAP_MS): number => {
  const full = Math.min(capMs, FIRST_MS * 2 ** Math.min(attempt, 16));
  return randomInt(full / 2, full + 1);
};
