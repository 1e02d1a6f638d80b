/** SQLSTATEs and socket errors that end with the server's restart or the other party's turn, not with the statement. */
const TRANSIENT_CODES = new Set([
  '25006', // read_only_sql_transaction: the server has become a standby, or is being taken out of service
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: by a statement time-out, where the server stood still or was overloaded
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What pg says without a code when a socket closes, or a connection or an answer takes too long. */
const TRANSIENT_MESSAGE =
  /^(Connection terminated|Query read timeout|timeout (expired|exceeded when trying to connect)|Client (has encountered a connection error|was closed))/;

/**
 * True when the same statement may well succeed a little later: the connection was lost, the server hangs, is restarting or
 * cannot be found, or a lock was in the way. Whether the statement took effect is unknown then.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.every(isTransient);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return TRANSIENT_CODES.has(code) || code.startsWith('08') || TRANSIENT_MESSAGE.test(error.message);
};
