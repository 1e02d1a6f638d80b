import { isTransient as isPostgresAway } from '../infra/postgres/transient.ts';
import { isTransient as isTemporalAway } from '../infra/temporal/transient.ts';

/** Whether `error` says that a server we depend on cannot be reached now: a retry may succeed, it is not our defect. */
export const isUnavailable = (error: unknown): boolean => {
  if (isTemporalAway(error)) return true;
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (isPostgresAway(each)) return true;
    if (each instanceof AggregateError && each.errors.some(isUnavailable)) return true;
  }
  return false;
};
