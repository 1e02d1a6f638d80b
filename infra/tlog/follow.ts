import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { growLog } from './grow.ts';
import type { CheckpointSigner } from './signer.ts';

export interface FollowDeps {
  readonly pool: Pool;
  readonly signer: CheckpointSigner;
  readonly store: Pick<EventStore, 'heads'>;
  readonly log: { warn(facts: object, message: string): void };
}

/** Least time between two checkpoints: a busy log gets several a second, not one per event. */
const INTERVAL_MS = 200;

/** Keeps the transparency log as far as the event log, until `signal` aborts. Overcomes a lost database. */
export const followLog = async (
  { pool, signer, store, log }: FollowDeps,
  signal: AbortSignal,
): Promise<void> => {
  let said: string | null = null;
  let grown = 0n;
  const rest = () => sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    try {
      for await (const head of store.heads(grown, signal)) {
        while (grown < head && !signal.aborted) {
          grown = (await growLog({ pool, signer }, head)).size;
          said = null;
          await rest();
        }
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== said) log.warn({ err: error }, 'the transparency log waits');
      said = message;
      await rest();
    }
  }
};
