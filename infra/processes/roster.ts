import type { Pool } from 'pg';

export const PROCESS_KINDS = ['api', 'worker', 'projector'] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];

/** How many of each kind there should be; null where nobody has said so. */
export type ExpectedProcesses = Readonly<Record<ProcessKind, number | null>>;

export interface Roster {
  /** How many are alive. */
  readonly have: number;
  /** How many there should be. */
  readonly expected: number;
  /** Names of those that should be there and are not, as far as they are known. */
  readonly missing: readonly string[];
}

/** A process by its last sign of life. */
export interface SeenProcess {
  readonly instance: string;
  /** Milliseconds that it is behind the newest sign of life of any process. */
  readonly behindMs: number;
}

/** Five beats. */
const SILENT_MS = 5_000;
const NUMBER = /^(0|[1-9]\d*)$/;

/** `worker` for the first, `worker-1` for the next; `worker-<host>` where processes go by their hosts. */
export const processName = (kind: ProcessKind, instance: string): string =>
  instance === '0' ? kind : `${kind}-${instance}`;

/**
 * Who of a kind is there and who is not. Expected are as many as were announced; otherwise as many as have come and not
 * left on purpose, and one at least, for without any of a kind the engine does not work. Who lacks is named by number
 * where processes are numbered, else after those that died.
 */
export const rosterOf = (
  kind: ProcessKind,
  seen: readonly SeenProcess[],
  announced: number | null,
): Roster => {
  const alive = new Set(seen.filter(({ behindMs }) => behindMs <= SILENT_MS).map(({ instance }) => instance));
  const expected = announced ?? Math.max(1, seen.length);
  const isNumbered = seen.every(({ instance }) => NUMBER.test(instance));
  const numbers = isNumbered ? Array.from({ length: expected }, (_, number) => String(number)) : [];
  const dead = seen.toSorted((a, b) => a.behindMs - b.behindMs).map(({ instance }) => instance);
  const absent = [...new Set([...numbers, ...dead])].filter((instance) => !alive.has(instance));
  return {
    have: alive.size,
    expected,
    missing: absent
      .slice(0, Math.max(0, expected - alive.size))
      .map((instance) => processName(kind, instance)),
  };
};

/**
 * The processes of `kind` by `engine.processes`, a day back. They are compared with the newest beat of any process and not with the
 * clock: while the database answers nobody, nobody is dead.
 */
export const seenProcesses = async (
  pool: Pick<Pool, 'query'>,
  kind: ProcessKind,
): Promise<readonly SeenProcess[]> => {
  const { rows } = await pool.query<SeenProcess>(
    `select instance, (extract(epoch from newest - alive_at) * 1000)::float8 as "behindMs"
       from engine.processes, (select max(alive_at) as newest from engine.processes) as all_of_them
      where kind = $1 and alive_at > newest - interval '1 day'`,
    [kind],
  );
  return rows;
};
