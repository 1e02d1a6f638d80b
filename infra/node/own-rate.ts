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
  /** Measures it anew, and until it can be measured. Who asks meanwhile shares in it. */
  renew(): void;
  /** The newest; waits for the first one, or until `untilMs`: null then. */
  known(untilMs: number): Promise<FuelRate | null>;
}

const RETRY_CAP_MS = 60_000;

export const keepOwnRate = ({ measure, nowMs, signal, log }: OwnRateDeps): OwnRate => {
  const first = Promise.withResolvers<FuelRate>();
  let newest: FuelRate | null = null;
  let renewing: Promise<void> | null = null;

  const renew = async (): Promise<void> => {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        newest = await measure();
        first.resolve(newest);
        log.info({ ...newest }, 'fuel rate measured');
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.error({ err: error }, 'the fuel rate could not be measured');
        await sleep(backoffMs(attempt, RETRY_CAP_MS), undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    renew() {
      renewing ??= renew().finally(() => {
        renewing = null;
      });
    },
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
