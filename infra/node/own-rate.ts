import { setTimeout as sleep } from 'node:timers/promises';
import type { FuelRate } from '../../domain/mesh/fuel-rate.ts';
import { backoffMs } from './backoff.ts';
import type { NodeLogger } from './logger.ts';

export interface OwnRateDeps {
  readonly measure: () => Promise<FuelRate>;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly log: NodeLogger;
}

/** How fast this machine is, as it was when the node last joined. */
export interface OwnRate {
  /**
   * Measures it anew, and until it can be measured; resolves after the first try. Who asks meanwhile shares in it, and
   * until it is done the one before holds.
   */
  renew(): Promise<void>;
  /** The newest; waits for the first one, or until `untilMs`: null then. */
  known(untilMs: number): Promise<FuelRate | null>;
  /** The newest; null before the first. */
  newest(): FuelRate | null;
}

const RETRY_CAP_MS = 60_000;

export const keepOwnRate = ({ measure, nowMs, signal, log }: OwnRateDeps): OwnRate => {
  const first = Promise.withResolvers<FuelRate>();
  let newest: FuelRate | null = null;
  let renewing: Promise<void> | null = null;

  const isMeasured = async (): Promise<boolean> => {
    try {
      newest = await measure();
      first.resolve(newest);
      log.info({ ...newest }, 'fuel rate measured');
      return true;
    } catch (error) {
      if (!signal.aborted) log.error({ err: error }, 'the fuel rate could not be measured');
      return false;
    }
  };

  /** Tries again and again; `tried` after each. */
  const untilMeasured = async (tried: () => void): Promise<void> => {
    for (let attempt = 0; !signal.aborted && !(await isMeasured()); attempt++) {
      tried();
      await sleep(backoffMs(attempt, RETRY_CAP_MS), undefined, { signal }).catch(() => undefined);
    }
    tried();
    renewing = null;
  };

  return {
    renew() {
      if (renewing) return renewing;
      const { promise, resolve } = Promise.withResolvers<void>();
      renewing = promise;
      void untilMeasured(resolve);
      return promise;
    },
    newest: () => newest,
    async known(untilMs) {
      if (newest) return newest;
      const measured = new AbortController();
      const over = sleep(Math.max(0, untilMs - nowMs()), null, {
        signal: AbortSignal.any([measured.signal, signal]),
      }).catch(() => null);
      const rate = await Promise.race([first.promise, over]);
      measured.abort();
      return rate;
    },
  };
};
