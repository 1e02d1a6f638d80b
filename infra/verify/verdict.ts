import type { PlatformLabel, VerificationStep } from '../../domain/enclave/events.ts';
import type { TcbVerdict } from './dcap/tcb-status.ts';
import { MalformedError } from './der.ts';
import type { AttestationPolicy } from './policy.ts';
import type { TrustedRoot } from './roots.ts';
import { notChecked, stepOf } from './steps.ts';

export interface AttestationVerdict {
  /** The evidence is genuine: a trusted root vouches, at `now`, for the key that signed it. */
  readonly verified: boolean;
  /** It is verified, and policy and expectation agree. */
  readonly acceptable: boolean;
  /** Decided by the root that verified it; `simulated` when none did. */
  readonly platform: PlatformLabel;
  readonly reasons: readonly VerificationStep[];
  /** SGX, TDX: what Intel's tables say of the platform, where they say something. */
  readonly tcb?: TcbVerdict;
}

/** Runs a check of foreign bytes: null for what cannot be parsed, a bug of ours still throws. */
export const parsed = async <T>(check: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await check();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

/** Verdict on what could not even be read: no step after `format` was taken, and all count as failed. */
export const unreadable = (code: string, steps: readonly string[]): AttestationVerdict => ({
  verified: false,
  acceptable: false,
  platform: 'simulated',
  reasons: [stepOf('format', code), ...steps.map(notChecked)],
});

/** Joins the steps that tell whether evidence is genuine with the policy's; the platform's label comes last. */
export const verdictOf = (
  genuine: readonly VerificationStep[],
  policySteps: readonly VerificationStep[],
  root: Pick<TrustedRoot, 'platform'> | undefined,
  policy: AttestationPolicy,
): AttestationVerdict => {
  const verified = root !== undefined && genuine.every((step) => step.ok);
  const platform: PlatformLabel = verified ? root.platform : 'simulated';
  const refused = platform === 'simulated' && !policy.allowSimulated;
  const reasons = [
    ...genuine,
    ...policySteps,
    verified ? stepOf('platform', refused ? 'SIMULATED_PLATFORM' : null) : notChecked('platform'),
  ];
  return { verified, acceptable: reasons.every((step) => step.ok), platform, reasons };
};
