/** Every reading moves the clock on by this much, so that busy waiting ends and all honest nodes read the same. */
export const STEP_NS = 1_000_000n;

const REALTIME = 0;
const CPU_TIME_THREAD = 3;

/** A clock that only its readers move (settled 19). Instants in nanoseconds. */
export interface VirtualClock {
  /** Reads clock `id` and steps; null for a clock that does not exist. */
  read(id: number): bigint | null;
  /** Moves on to `instant` of clock `id` if that lies ahead: how a sleep passes. */
  sleepUntil(id: number, instant: bigint): void;
}

/** `startMs`: milliseconds since 1970 at which the realtime clock begins. The other clocks begin at zero. */
export const virtualClock = (startMs: number): VirtualClock => {
  const epoch = BigInt(startMs) * 1_000_000n;
  let elapsed = 0n;
  const originOf = (id: number): bigint => (id === REALTIME ? epoch : 0n);
  return {
    read: (id) => {
      if (id < REALTIME || id > CPU_TIME_THREAD) return null;
      elapsed += STEP_NS;
      return originOf(id) + elapsed;
    },
    sleepUntil: (id, instant) => {
      const target = instant - originOf(id);
      if (target > elapsed) elapsed = target;
    },
  };
};
