/** The closed catalogue of refusals a caller can meet, with the HTTP status the API maps each to (requirements §2). */
export const ERROR_STATUS = {
  INVALID_REQUEST: 422,
  AUTHENTICATION_FAILED: 401,
  AUTHORIZATION_FAILED: 403,
  RESOURCE_NOT_FOUND: 404,
  CONFLICT: 409,
  RATE_LIMIT_EXCEEDED: 429,
  RESOURCE_UNAVAILABLE: 503,
  INTERNAL_ERROR: 500,
  TEE_UNAVAILABLE: 503,
  UNSUPPORTED_PLATFORM: 422,
  UNSUPPORTED_PROOF_TYPE: 422,
  ATTESTATION_FAILED: 422,
  PROOF_VERIFICATION_FAILED: 422,
  AUCTION_EXPIRED: 409,
  AUCTION_NOT_ENOUGH_BIDS: 409,
  INSUFFICIENT_BALANCE: 402,
  CIRCUIT_ESTABLISHMENT_FAILED: 503,
  QUORUM_NOT_ACHIEVED: 409,
  // Terminal reasons of a job. They are facts in the log, shown in its state; no request answers with them.
  WAIT_LIMIT_EXCEEDED: 409,
  RESULT_DISAGREEMENT: 409,
  TIME_LIMIT_EXCEEDED: 409,
  MEMORY_LIMIT_EXCEEDED: 409,
  FUEL_LIMIT_EXCEEDED: 409,
  STACK_LIMIT_EXCEEDED: 409,
  OUTPUT_LIMIT_EXCEEDED: 409,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One broken rule: the field that broke it (JSON path, dots) and the rule in words. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
}

/** A refusal as a value. Exceptions are for broken invariants only. */
export interface Rejection {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly errors?: readonly FieldError[];
}

export const reject = (code: ErrorCode, message: string, errors?: readonly FieldError[]): Rejection =>
  errors ? { ok: false, code, message, errors } : { ok: false, code, message };

/** The refusal of one field, whose message says the same. */
export const rejectField = (field: string, rule: string): Rejection =>
  reject('INVALID_REQUEST', `${field}: ${rule}`, [{ field, rule }]);

/** An expected outcome: a value or a refusal. */
export type Result<T> = { readonly ok: true; readonly value: T } | Rejection;

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
