/**
 * What travels through Temporal carries a seal (infra/temporal/payload-seal.ts). A workflow holds no key: its worker tells
 * it of a value without a true seal by handing it the mark below instead. It never fails on one, for what fails in a
 * workflow is tried again for ever.
 */

/** Stands for everything that came without a true seal. */
export const FORGED = { 'aivillage.forged': true } as const;

export const isForged = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aivillage.forged' in value;

/** Type of the failure that tells of a forgery. */
export const FORGED_FAILURE = 'FORGED';

/** What an activity is asked for, beside its input: its worker does nothing under another name. */
export interface Call {
  /** Name of the activity. */
  readonly activity: string;
  /** Id of the event that asked for it, or of the workflow where that is no lifecycle. */
  readonly cause: string;
}

/** What an activity answers under the seal: an answer to an earlier call, told once more, is none to this one. */
export interface Answered {
  readonly call: Call;
  readonly answer: unknown;
}

/** The last detail of a failed attempt: only with it is the failure the activity's own. */
export interface FailedAttempt {
  readonly call: Call;
  readonly attempt: number;
  readonly message: string;
  readonly nonRetryable: boolean;
}

export const isSameCall = (a: Call | undefined, b: Call | undefined): boolean =>
  a !== undefined && b !== undefined && a.activity === b.activity && a.cause === b.cause;
