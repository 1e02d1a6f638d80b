import { fuelLimitOf } from '../job/fuel.ts';
import type { AuctionAnnouncement } from './messages.ts';

/** A run of known work on the node's own machine, as its sandbox recorded it. */
export interface MeasuredRun {
  readonly fuel: number;
  /** Time of a processor that it took. */
  readonly cpuMs: number;
  /** From the order to the beginning of the run, and from its end to the answer. */
  readonly startMs: number;
}

/** What a node may promise of its runs. */
export interface FuelRate {
  /** Units of fuel a second, of a run that has a core for itself. */
  readonly perSecond: number;
  readonly cores: number;
  /** Seconds that go to starting and ending a run. */
  readonly startSeconds: number;
}

type Declared = Pick<AuctionAnnouncement, 'requiredTops' | 'utilization' | 'durationSeconds'>;

/** Part of a core that is kept for whatever else the machine does, such as other nodes. */
const RESERVE = 0.5;

/**
 * The rate that `runs`, at least one, allow to promise. Counted by the time of a processor, in the least disturbed run:
 * what else a machine does while its node joins says nothing of when the job runs, and is what the reserve is for.
 * @param cores of the machine
 */
export const fuelRateOf = (runs: readonly MeasuredRun[], cores: number): FuelRate => ({
  perSecond: 1000 * (1 - RESERVE) * Math.max(...runs.map(({ cpuMs, fuel }) => fuel / cpuMs)),
  cores,
  startSeconds: Math.min(...runs.map(({ startMs }) => startMs)) / 1000,
});

/**
 * Seconds until a run has used up all the fuel that `declared` allows, its start included, among so many that do the same. A
 * module has one thread, and those of all runs share the cores evenly.
 */
export const secondsFor = (
  { perSecond, cores, startSeconds }: FuelRate,
  declared: Declared,
  runs = 1,
): number => startSeconds + fuelLimitOf(declared) / (perSecond * Math.min(1, cores / runs));

/**
 * The most runs that the node may have at once for this one to be done in time, should all of them use up their fuel
 * (settled 44); 0 where it would not be done alone. Programs that mostly stay in the caches take no longer.
 */
export const mostRunsFor = (rate: FuelRate, declared: Declared): number => {
  const { perSecond, cores, startSeconds } = rate;
  const share = ((declared.durationSeconds - startSeconds) * perSecond) / fuelLimitOf(declared);
  return share < 1 ? 0 : Math.max(cores, Math.floor(cores * share));
};

/** Fuel a second from which on few nodes promise a run. */
const RARE_PER_SECOND = 1_000_000_000;

/** What to tell who got too few bids for work that is declared as too dense for a core; null where that is not the reason. */
export const densityAdvice = (declared: Declared): string | null => {
  const perSecond = Math.ceil(fuelLimitOf(declared) / declared.durationSeconds);
  if (perSecond < RARE_PER_SECOND) return null;
  return (
    `as declared, each node has to be able to use ${perSecond} units of fuel a second on one core, and bids only if it ` +
    'can: fewer TOPS or less utilization for longer is the same work'
  );
};
