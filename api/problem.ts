import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode, type FieldError } from '../domain/errors.ts';

/** Statuses a code may also have: a body that cannot be parsed, or is too large. */
export type ProblemStatus = (typeof ERROR_STATUS)[ErrorCode] | 400 | 413;

const TITLES: Readonly<Record<ErrorCode, string>> = {
  INVALID_REQUEST: 'The request breaks a rule',
  AUTHENTICATION_FAILED: 'No valid identity',
  AUTHORIZATION_FAILED: 'Not allowed',
  RESOURCE_NOT_FOUND: 'Not found',
  CONFLICT: 'Conflict with the present state',
  RATE_LIMIT_EXCEEDED: 'Too many requests',
  RESOURCE_UNAVAILABLE: 'Unavailable for now',
  INTERNAL_ERROR: 'Internal error',
  TEE_UNAVAILABLE: 'No host offers the platform now',
  UNSUPPORTED_PLATFORM: 'Unsupported platform',
  UNSUPPORTED_PROOF_TYPE: 'Unsupported proof type',
  ATTESTATION_FAILED: 'The attestation does not verify',
  PROOF_VERIFICATION_FAILED: 'The proof does not verify',
  AUCTION_EXPIRED: 'The auction is closed',
  AUCTION_NOT_ENOUGH_BIDS: 'Not enough bids',
  INSUFFICIENT_BALANCE: 'Insufficient balance',
  CIRCUIT_ESTABLISHMENT_FAILED: 'No circuit could be established',
  QUORUM_NOT_ACHIEVED: 'No feasible quorum',
  RESULT_DISAGREEMENT: 'The results disagree',
  WAIT_LIMIT_EXCEEDED: 'No room within the wait limit',
  TIME_LIMIT_EXCEEDED: 'Time limit exceeded',
  MEMORY_LIMIT_EXCEEDED: 'Memory limit exceeded',
  FUEL_LIMIT_EXCEEDED: 'Fuel limit exceeded',
  STACK_LIMIT_EXCEEDED: 'Stack limit exceeded',
  OUTPUT_LIMIT_EXCEEDED: 'Output limit exceeded',
};

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];

/** The closed catalogue of `type` URIs, one for each code. */
export const problemType = (code: ErrorCode): string =>
  `urn:aivillage:problem:${code.toLowerCase().replaceAll('_', '-')}`;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** RFC 9457 problem details as every error of this API has them. */
export const problemSchema = z
  .object({
    type: z.enum(CODES.map(problemType) as [string, ...string[]]),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(CODES),
    errors: z.array(z.object({ field: z.string(), rule: z.string() })).optional(),
    trace_id: z.string(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problemSchema>;

export interface ProblemFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly errors?: readonly FieldError[] | undefined;
  readonly status?: ProblemStatus;
}

export const problemOf = (facts: ProblemFacts, instance: string, traceId: string): Problem => ({
  type: problemType(facts.code),
  title: TITLES[facts.code],
  status: facts.status ?? ERROR_STATUS[facts.code],
  detail: facts.message,
  instance,
  code: facts.code,
  ...(facts.errors ? { errors: [...facts.errors] } : {}),
  trace_id: traceId,
});
