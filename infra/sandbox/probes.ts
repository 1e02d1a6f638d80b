import { randomInt } from 'node:crypto';
import { PROBES } from '../../domain/enclave/pace.ts';
import { doKnownWork } from './known-work.ts';

/** Known work that is done beside a run. */
export interface Probes {
  /** Does no more of it. Fuel a second at which it was done: the median; what is not done yet took until now. */
  stop(): number;
}

/** Part of a run's time in which probes begin: one that begins at the end would be over before it shows anything. */
const BEGIN_WITHIN = 0.9;
const SCALE = 1_000_000;

/** A time in each of `PROBES` equal parts of `ms`. */
const timesIn = (ms: number): number[] =>
  Array.from({ length: PROBES }, (_, part) => (ms * (part + randomInt(SCALE) / SCALE)) / PROBES);

/**
 * Does known work of so much `fuel` at random times of a run, which nobody else can know before. Each counts from when it was
 * due: what stops an enclave stops its probes. The first only warms up. They end with the run, by `stop`.
 * @param failed where this machine could not do it
 */
export const probeBeside = (
  { fuel, timeLimitSeconds }: { readonly fuel: number; readonly timeLimitSeconds: number },
  failed: (error: unknown) => void,
  work = doKnownWork,
): Probes => {
  const startedAt = performance.now();
  const times = timesIn(1000 * BEGIN_WITHIN * timeLimitSeconds);
  const tookMs: number[] = [];
  const sinceDue = (index: number): number => performance.now() - startedAt - (times[index] as number);
  const probe = (): void => void work(fuel).then(() => tookMs.push(sinceDue(tookMs.length)), failed);
  const timers = times.map((ms) => setTimeout(probe, ms));
  return {
    stop() {
      for (const timer of timers) clearTimeout(timer);
      const all = times.map((_, index) => tookMs[index] ?? sinceDue(index)).slice(1);
      const median = all.toSorted((a, b) => a - b)[all.length >> 1] as number;
      return (1000 * fuel) / median;
    },
  };
};
