import pg from 'pg';

export interface PoolOptions {
  /** Shown as `application_name` in pg_stat_activity. */
  readonly name: string;
  /** Most connections held at once. */
  readonly max: number;
  /** Called when a connection dies while idle; the pool has already dropped it. */
  readonly onIdleError?: (error: Error) => void;
}

/** Text parser of one PostgreSQL type. */
type TextParser = (value: string) => unknown;

const rfc3339 = (value: string): string => value.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z');
const asText = (value: string): string => value;

/** What differs from pg's defaults: nothing may be lost (int8 beyond 2^53, microseconds) or depend on a time zone. */
const PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [pg.types.builtins.INT8, BigInt],
  [pg.types.builtins.TIMESTAMPTZ, rfc3339],
  [pg.types.builtins.DATE, asText],
]);

/** Per-connection parsers: `pg.types.setTypeParser` would change every library of the process that shares pg. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && PARSERS.get(oid)) ||
    pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * A pool whose rows carry int8 as `bigint`, timestamptz as RFC 3339 text with `Z` (microseconds kept), date as text and
 * numeric as text. Connections that the server ended are replaced on the next use; a query that was running rejects.
 */
export const createPool = (url: string, { name, max, onIdleError }: PoolOptions): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max,
    types,
    options: '-c timezone=UTC',
    connectionTimeoutMillis: 10_000,
  });
  // Without a listener a server restart would end the process; the next query meets the failure itself.
  pool.on('error', (error) => onIdleError?.(error));
  return pool;
};
