/** Node's words for a peer that is not there, and PostgreSQL's for one that is going away or coming up. */
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  '57P01',
  '57P02',
  '57P03',
]);
/** gRPC DEADLINE_EXCEEDED and UNAVAILABLE. */
const GRPC_CODES = new Set([4, 14]);

const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Whether `error` says that a server we depend on cannot be reached now: a retry may succeed, it is not our defect. */
export const isUnavailable = (error: unknown): boolean => {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const { code } = each as Error & { code?: unknown };
    if (typeof code === 'string' && (CODES.has(code) || code.startsWith('08'))) return true;
    if (typeof code === 'number' && GRPC_CODES.has(code)) return true;
    if (MESSAGES.test(each.message)) return true;
    if (each instanceof AggregateError && each.errors.some(isUnavailable)) return true;
  }
  return false;
};
