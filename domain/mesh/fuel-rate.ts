import { fuelLimitOf } from '../job/fuel.ts';
import type { AuctionAnnouncement } from './messages.ts';

/** A run of known work on the node's own machine, as its sandbox recorded it. */
export interface MeasuredRun {
  readonly fuel: number;
  /** Time of a processor that it took. */
  readonly cpuMs: number;
  /** Time that passed meanwhile, whatever else the machine did. */
  readonly wallMs: number;
  /** From the order to the beginning of the run, and from its end to the answer. */
  readonly startMs: number;
}

/** What a node may promise of one run, with a run in each of its other places. */
export interface FuelRate {
  /** Units of fuel a second. */
  readonly perSecond: number;
  /** Seconds that go to starting and ending a run. */
  readonly startSeconds: number;
}

type Declared = Pick<AuctionAnnouncement, 'requiredTops' | 'utilization' | 'durationSeconds'>;

/** Whether a run had so much of a core that another one would hardly have more. */
export const wasAlone = ({ cpuMs, wallMs }: MeasuredRun): boolean => cpuMs * 3 >= wallMs;

/** Part of the machine that is kept for whatever else it does, such as other nodes, while all places are busy. */
const RESERVE = 0.5;

/**
 * The rate that `runs`, at least one, allow to promise, by the least disturbed of them: what loads the machine as long as
 * it starts, other nodes that measure too, is not in all. A module has one thread, so that the runs in all places share
 * the cores evenly, and of those they get no more than the reserve leaves. What a run did not get when it had the node for
 * itself, it is not promised either.
 * @param places runs that the node may have at once
 * @param cores of its machine
 */
export const fuelRateOf = (
  runs: readonly MeasuredRun[],
  { places, cores }: { readonly places: number; readonly cores: number },
): FuelRate => {
  const alone = Math.max(...runs.map(({ wallMs, fuel }) => fuel / wallMs));
  const core = Math.max(...runs.map(({ cpuMs, fuel }) => fuel / cpuMs));
  const shared = core * (1 - RESERVE) * Math.min(1, cores / places);
  return {
    perSecond: 1000 * Math.min(alone, shared),
    startSeconds: Math.max(...runs.map(({ startMs }) => startMs)) / 1000,
  };
};

/** Seconds until a run has used up all the fuel that `declared` allows, its start included. */
export const secondsFor = ({ perSecond, startSeconds }: FuelRate, declared: Declared): number =>
  startSeconds + fuelLimitOf(declared) / perSecond;

/** Whether a run is done in time if it uses up its fuel (settled 44), as programs do that mostly stay in the caches. */
export const finishesInTime = (rate: FuelRate, declared: Declared): boolean =>
  secondsFor(rate, declared) <= declared.durationSeconds;

/** Fuel a second from which on few nodes with several places promise a run; a core alone does a few times as much. */
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
