import { instant } from '../../../domain/time.ts';

/** Simulated time: what is due happens in order of its time, and of its asking where that is the same. */
export interface Clock {
  readonly nowMs: () => number;
  readonly now: () => string;
  /** Does `work` so many ms from now. What it throws ends the simulation. */
  after(ms: number, work: () => unknown): void;
  pause(ms: number): Promise<void>;
  /** Runs until nothing is due before `untilMs`, counted from the start. */
  run(untilMs: number): Promise<void>;
}

interface Due {
  readonly atMs: number;
  readonly work: () => unknown;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);

/** Everything that can go on without waiting for simulated time has gone on: nothing here waits for real time. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const createClock = (): Clock => {
  let nowMs = EPOCH_MS;
  /** Ascending in time. */
  const agenda: Due[] = [];
  const failures: unknown[] = [];

  const after = (ms: number, work: () => unknown): void => {
    const atMs = nowMs + Math.max(0, Math.round(ms));
    let [low, high] = [0, agenda.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((agenda[middle] as Due).atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    agenda.splice(low, 0, { atMs, work });
  };

  const start = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  };

  return {
    nowMs: () => nowMs,
    now: () => instant(nowMs),
    after,
    pause: (ms) => new Promise((resolve) => after(ms, resolve)),
    async run(untilMs) {
      for (let next = agenda[0]; next && next.atMs <= EPOCH_MS + untilMs; next = agenda[0]) {
        agenda.shift();
        nowMs = next.atMs;
        void start(next.work);
        await settled();
        if (failures.length > 0) throw failures[0];
      }
      nowMs = Math.max(nowMs, EPOCH_MS + untilMs);
    },
  };
};
