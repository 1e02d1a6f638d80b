import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '../postgres/pool.ts';
import type { ProcessKind } from './roster.ts';

export interface Presence {
  /** Takes the row along: the process leaves on purpose. */
  leave(): Promise<void>;
}

export interface PresenceOptions {
  readonly databaseUrl: string;
  readonly kind: ProcessKind;
  readonly instance: string;
  /** Told once when beats begin to fail, and when another process uses the same name. */
  readonly onFault: (message: string, error?: unknown) => void;
}

const BEAT_MS = 1_000;
/** Rows of processes that were never seen again are forgotten. */
const FORGOTTEN_DAYS = 1;

/**
 * Keeps the row of this process in `engine.processes`, on a connection of its own: one that is busy with work says
 * nothing about life. Beats begin at once and outlast a lost database.
 */
export const reportPresence = ({ databaseUrl, kind, instance, onFault }: PresenceOptions): Presence => {
  const run = randomUUID();
  const pool = createPool(databaseUrl, { name: `${kind} presence`, max: 1, durable: false });
  const leaving = new AbortController();
  let said: string | null = null;

  /** The run that had the row last, if that was alive until just now and is not this one. */
  const beat = async (): Promise<string | null> => {
    const { rows } = await pool.query<{ rival: string | null }>({
      name: 'process-beat',
      text: `with before as (select run from engine.processes where kind = $1 and instance = $2)
       insert into engine.processes (kind, instance, run, started_at, alive_at)
       values ($1, $2, $3, clock_timestamp(), clock_timestamp())
       on conflict (kind, instance) do update
          set run = excluded.run, alive_at = excluded.alive_at,
              started_at = case when engine.processes.run = excluded.run then engine.processes.started_at
                                else excluded.started_at end
       returning (select run from before where run <> $3) as rival`,
      values: [kind, instance, run],
    });
    return rows[0]?.rival ?? null;
  };

  const forget = () =>
    pool.query(`delete from engine.processes where alive_at < now() - $1 * interval '1 day'`, [
      FORGOTTEN_DAYS,
    ]);

  const say = (message: string | null, error?: unknown): void => {
    if (message !== null && message !== said) onFault(message, error);
    said = message;
  };

  const keep = async (): Promise<void> => {
    let beats = 0;
    while (!leaving.signal.aborted) {
      try {
        const rival = await beat();
        if (beats === 0) await forget();
        beats += 1;
        // The first beat takes the row over from the run before.
        say(rival !== null && beats > 1 ? `another ${kind} calls itself ${instance}, too` : null);
      } catch (error) {
        say('this process cannot show that it is alive', error);
      }
      await sleep(BEAT_MS, undefined, { signal: leaving.signal }).catch(() => undefined);
    }
  };

  const keeping = keep();
  return {
    leave: async () => {
      leaving.abort();
      await keeping;
      try {
        await pool.query('delete from engine.processes where kind = $1 and instance = $2 and run = $3', [
          kind,
          instance,
          run,
        ]);
      } catch (error) {
        onFault('this process could not sign off', error);
      }
      await pool.end();
    },
  };
};
