import type { ExecutionRecord } from '../proof/record.ts';
import type { WorkOrder } from './events.ts';
import { runFuelOf } from './limits.ts';

/** Fuel a second at which the order of a run has all of its fuel used up in time: what its node promised. */
export const promisedPace = (work: WorkOrder): number => runFuelOf(work) / work.timeLimitSeconds;

/** Probes of a run, at random times: one in each of so many equal parts of its time. */
export const PROBES = 8;
/** What a probe should take at most at the promised pace: this part of the run's time, or so many seconds. */
const PROBE_PART = 1 / 80;
const PROBE_SECONDS = 0.1;
/** Fuel of the longest: the end of a run waits for the probe that is under way, however much was promised. */
const PROBE_FUEL = 1_000_000_000;

/** Fuel of a probe; a whole number, at least 1. */
export const probeFuel = (work: WorkOrder): number => {
  const seconds = Math.min(PROBE_SECONDS, PROBE_PART * work.timeLimitSeconds);
  return Math.min(PROBE_FUEL, Math.ceil(promisedPace(work) * seconds));
};

/**
 * Whose doing it is that a run was out of time: of the node, unless it had the run's whole time pass, and known work that
 * was done beside it at random times of it went at the promised pace. At that pace a module that stays in the caches is
 * done in time, so whoever slows its machine below has either done the work or shows it. The module is one then whose fuel
 * does not tell how long it takes (settled 40). The time of a processor would not show it: a machine may be slowed in many
 * ways and keep counting. Nodes promise at most what half of a core does (`domain/mesh/fuel-rate.ts`), and so have the other
 * half for what a run takes of the caches.
 */
export const hadItsPace = (
  { wallMs, probedFuelPerSecond = 0 }: ExecutionRecord['resources'],
  work: WorkOrder,
): boolean => wallMs >= 1000 * work.timeLimitSeconds && probedFuelPerSecond >= promisedPace(work);
