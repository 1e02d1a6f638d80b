import { isTransient } from '../infra/postgres/transient.ts';

/** gRPC DEADLINE_EXCEEDED and UNAVAILABLE. */
const GRPC_CODES = new Set([4, 14]);

const isAway = (error: Error): boolean => {
  const { code } = error as Error & { code?: unknown };
  return code === 'ENOTFOUND' || (typeof code === 'number' && GRPC_CODES.has(code)) || isTransient(error);
};

/** Whether `error` says that a server we depend on cannot be reached now: a retry may succeed, it is not our defect. */
export const isUnavailable = (error: unknown): boolean => {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (isAway(each)) return true;
    if (each instanceof AggregateError && each.errors.some(isUnavailable)) return true;
  }
  return false;
};
