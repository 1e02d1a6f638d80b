import { type Rejection, reject } from '../domain/errors.ts';
import type { NoPlace } from '../infra/rate-limits/places.ts';

/** The refusal of whoever found no place for `what`: too many of its own (429), or too many in all (503). */
export const noPlace = (why: NoPlace, what: string): Rejection =>
  why === 'own'
    ? reject('RATE_LIMIT_EXCEEDED', `too many ${what} of yours at once; see Retry-After`)
    : reject('RESOURCE_UNAVAILABLE', `too many ${what} at once; see Retry-After`);
