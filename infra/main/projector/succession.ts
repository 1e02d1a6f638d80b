import type { Pool } from 'pg';
import type { Log } from '../../../projections/log.ts';
import { endSessionsOf, pause } from '../../../projections/session.ts';

export interface SuccessionDeps {
  readonly pool: Pool;
  /** This projector. */
  readonly instance: string;
  readonly log: Log;
}

const LOOK_MS = 2_000;
/** A projector whose row has stood still for so many looks is hung. */
const LOOKS = 5;

/** Name of the sessions of a projector; PostgreSQL keeps 63 bytes of it. */
export const sessionName = (instance: string): string => `projector ${instance}`.slice(0, 63);

/**
 * Ends the leadership of projectors that hang: their locks would keep others standing by for as long as that lasts. One
 * that goes on later finds its sessions ended, in which alone it could write, and stands by in its turn.
 *
 * It is judged by looks and not by a clock. Who was stalled itself, or waited for the database, has not looked.
 */
export const keepSuccession = async (
  { pool, instance, log }: SuccessionDeps,
  signal: AbortSignal,
): Promise<void> => {
  /** By instance: its last sign of life, and how often that was seen. */
  const seen = new Map<string, { readonly aliveAt: string; readonly looks: number }>();
  let said: string | null = null;

  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ instance: string; aliveAt: string }>({
      name: 'other-projectors',
      text: `select instance, alive_at as "aliveAt" from engine.processes where kind = 'projector' and instance <> $1`,
      values: [instance],
    });
    for (const { instance: other, aliveAt } of rows) {
      const before = seen.get(other);
      const looks = before?.aliveAt === aliveAt ? before.looks + 1 : 1;
      seen.set(other, { aliveAt, looks });
      if (looks < LOOKS) continue;
      const ended = await endSessionsOf(pool, sessionName(other));
      if (ended > 0) log.warn({ instance: other, ended }, 'a projector hangs: its lead was ended');
    }
  };

  while (!signal.aborted) {
    try {
      await look();
      said = null;
    } catch (error) {
      const { message } = error as Error;
      if (message !== said) log.warn({ err: error }, 'other projectors cannot be seen');
      said = message;
    }
    await pause(LOOK_MS, signal);
  }
};
