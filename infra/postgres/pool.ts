import type { Socket } from 'node:net';
import pg from 'pg';

export interface PoolOptions {
  /** Shown as `application_name` in pg_stat_activity. */
  readonly name: string;
  /** Most connections held at once. */
  readonly max: number;
  /** Longest time of one statement, ms; default 10 s. For work that may rightly take longer: rebuilds, an audit. */
  readonly statementMs?: number;
  /**
   * False: commits do not wait for the disk. A crash of the server may take back the last of them, whole and in their order;
   * for what is said anew all the time.
   */
  readonly durable?: boolean;
  /** Called when a connection dies while idle; the pool has already dropped it. */
  readonly onIdleError?: (error: Error) => void;
}

/** Longest wait for a connection, new or of the pool. */
const CONNECT_MS = 10_000;
const STATEMENT_MS = 10_000;
/** The server ends a statement first; when it does not get to it, this much later the connection is given up. */
const HANG_MS = 2_000;
/** Idle time after which the kernel asks whether the other end is still there. */
const KEEPALIVE_MS = 10_000;
/**
 * A connection that nobody used for so long is let go: it holds some 4 MB of the server, a new one costs a process of it and
 * all plans. The one that was used last is used next, so what a burst has opened goes while the rest is busy.
 */
const IDLE_MS = 20_000;
/** Longest wait for the end of a connection. */
const GOODBYE_MS = 2_000;

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

const ignore = (): void => undefined;

/**
 * A connection that cannot end or hold its process. The server may end it between its hand-over and the first listener of
 * whoever asked for it; the next query rejects then. A server that hangs takes no goodbye, so its end is bounded.
 */
class MortalClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', ignore);
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const { stream } = (this as unknown as { readonly connection: { readonly stream: Socket } }).connection;
    const timer = setTimeout(() => stream.destroy(), GOODBYE_MS).unref();
    this.once('end', () => clearTimeout(timer));
    return callback ? super.end(callback) : super.end();
  }
}

/**
 * A pool whose rows carry int8 as `bigint`, timestamptz as RFC 3339 text with `Z` (microseconds kept), date as text and
 * numeric as text. Connections that the server ended are replaced on the next use; a query that was running rejects. So
 * does one that a server which hangs does not answer, in a bounded time.
 */
export const createPool = (
  url: string,
  { name, max, statementMs = STATEMENT_MS, durable = true, onIdleError }: PoolOptions,
): pg.Pool => {
  const pool = new pg.Pool({
    Client: MortalClient,
    connectionString: url,
    application_name: name,
    max,
    types,
    options: `-c timezone=UTC${durable ? '' : ' -c synchronous_commit=off'}`,
    idleTimeoutMillis: IDLE_MS,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    query_timeout: statementMs + HANG_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
  });
  // Without a listener a server restart would end the process; the next query meets the failure itself.
  pool.on('error', (error) => onIdleError?.(error));
  return pool;
};

/** A connection like those of `pool`, but outside it: for what lasts, such as listening. */
export const connectionLike = (pool: pg.Pool): pg.Client => new MortalClient(pool.options);

const connectWithin = async (pool: pg.Pool, ms: number): Promise<pg.PoolClient> => {
  const connecting = pool.connect();
  const late = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    late.reject(new Error('timeout exceeded when trying to connect'));
  }, ms);
  // Whoever has stopped waiting leaves the connection to the next.
  connecting.then((client) => isLate && client.release(), ignore);
  try {
    return await Promise.race([connecting, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * The statements of `pool`, each given up after `ms`, a wait for its connection included. Nothing that was given up is sent
 * any more; what was sent may still take effect.
 */
export const within = (pool: pg.Pool, ms: number): Pick<pg.Pool, 'query'> => {
  const query = async (statement: pg.QueryConfig): Promise<pg.QueryResult> => {
    const deadline = performance.now() + ms;
    const client = await connectWithin(pool, ms);
    let failure: Error | undefined;
    try {
      const query_timeout = Math.max(1, Math.ceil(deadline - performance.now()));
      return await client.query({ ...statement, query_timeout } as pg.QueryConfig);
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      client.release(failure);
    }
  };
  return { query: query as pg.Pool['query'] };
};
