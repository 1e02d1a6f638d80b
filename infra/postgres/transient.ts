/** SQLSTATEs and socket errors that end with the server's restart or the other party's turn, not with the statement. */
const TRANSIENT_CODES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What pg says without a code when a socket closes or a connection takes too long. */
const TRANSIENT_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/;

/**
 * True when the same statement may well succeed a little later: the connection was lost, the server is restarting or a
 * lock was in the way. Whether the statement took effect is unknown then.
 */
export const isTransient = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.every(isTransient);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return TRANSIENT_CODES.has(code) || code.startsWith('08') || TRANSIENT_MESSAGE.test(error.message);
};
