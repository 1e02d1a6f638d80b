/** A monotonic clock of a process that knows when it slept: stopped, swapped out, suspended, its event loop blocked. */
export interface PauseDetector {
  /** Monotonic ms, from any start. */
  now(): number;
  /** How often the process has paused so far: two equal counts say that it ran all the time in between. */
  pauses(): number;
  stop(): void;
}

export interface PauseDetectorOptions {
  /** Monotonic ms. */
  readonly monotonicMs?: () => number;
  /** A tick that comes this much too late, ms, says that the process did not run. */
  readonly pauseMs?: number;
}

const TICK_MS = 250;
/** A busy host makes a timer late by a second; waiting for an answer is then not yet in vain. */
const PAUSE_MS = 1_000;

/** Ticks, and takes a tick that is late for a pause (as LatencyUtils' PauseDetector does). Keeps no process alive. */
export const createPauseDetector = ({
  monotonicMs = () => performance.now(),
  pauseMs = PAUSE_MS,
}: PauseDetectorOptions = {}): PauseDetector => {
  let last = monotonicMs();
  let pauses = 0;
  const tick = (): number => {
    const now = monotonicMs();
    if (now - last > TICK_MS + pauseMs) pauses++;
    last = now;
    return now;
  };
  const timer = setInterval(tick, TICK_MS).unref();
  return {
    now: tick,
    pauses: () => {
      // Whoever asks right after a pause comes before the timer.
      tick();
      return pauses;
    },
    stop: () => clearInterval(timer),
  };
};
