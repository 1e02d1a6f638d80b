import type { ApiError } from './problem.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Pause after the given attempt (from 1), ms: doubling up to a bound. */
export const backOffMs = (attempt: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));

/** `Retry-After` in seconds, the form this API uses; null without it. */
export const retryAfterMs = (headers: Headers): number | null => {
  const text = headers.get('retry-after');
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : null;
};

/** Answers of gateways in front of an API that is away. */
const GATEWAY_STATUSES: readonly number[] = [502, 503, 504];

/**
 * Whether the same call may do better in a moment. A conflict in a repeated call can be our own first attempt, whose
 * connection broke and which the API is still working on; the same key then gets its answer.
 */
export const isWorthRetrying = ({ status, code }: ApiError, attempt: number): boolean =>
  code === 'RATE_LIMIT_EXCEEDED' ||
  code === 'RESOURCE_UNAVAILABLE' ||
  (code === 'CONFLICT' && attempt > 1) ||
  (code === null && GATEWAY_STATUSES.includes(status));
