import type { VerificationStep } from '../../domain/enclave/events.ts';

/** Codes that every step can have, beside its own. */
const OK = 'OK';
const NOT_EXPECTED = 'NOT_EXPECTED';
export const NOT_JUDGED = 'NOT_JUDGED';
const NOT_CHECKED = 'NOT_CHECKED';

/** Verdict of one step: null means it holds, otherwise the reason code. */
export type Verdict = string | null;

export const stepOf = (step: string, verdict: Verdict): VerificationStep => ({
  step,
  ok: verdict === null,
  code: verdict ?? OK,
});

/** A check nobody asked for holds, under a code of its own: nothing is skipped in silence. */
export const notExpected = (step: string): VerificationStep => ({ step, ok: true, code: NOT_EXPECTED });

/** What is there but cannot be judged without knowledge that nobody gave: neither good nor bad. */
export const notJudged = (step: string): VerificationStep => ({ step, ok: true, code: NOT_JUDGED });

/** A check that an earlier failure made impossible counts as failed. */
export const notChecked = (step: string): VerificationStep => ({ step, ok: false, code: NOT_CHECKED });
