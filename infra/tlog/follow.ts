import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Wakeups } from '../event-store/wakeups.ts';
import { growLog } from './grow.ts';
import type { CheckpointSigner } from './signer.ts';

export interface FollowDeps {
  readonly pool: Pool;
  readonly signer: CheckpointSigner;
  readonly wakeups: Pick<Wakeups, 'past'>;
  /** Position of the newest event. */
  readonly head: () => Promise<bigint>;
  readonly log: { warn(facts: object, message: string): void };
}

/** Least time between two checkpoints: a busy log gets several a second, not one per event. */
const INTERVAL_MS = 200;
/** Longest time without looking: a wake-up may be lost. */
const POLL_MS = 1_000;

/** Keeps the transparency log as far as the event log, until `signal` aborts. Overcomes a lost database. */
export const followLog = async (deps: FollowDeps, signal: AbortSignal): Promise<void> => {
  const { wakeups, head, log } = deps;
  let said: string | null = null;
  while (!signal.aborted) {
    try {
      const newest = await head();
      const { more } = await growLog(deps, newest);
      said = null;
      if (!more) await wakeups.past(newest, POLL_MS, signal);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== said) log.warn({ err: error }, 'the transparency log waits');
      said = message;
    }
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
};
