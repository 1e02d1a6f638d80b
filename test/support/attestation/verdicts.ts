import { expect } from 'vitest';
import {
  type AttestationInput,
  type AttestationVerdict,
  verifyAttestation,
} from '../../../infra/verify/index.ts';

export const flipped = (bytes: Uint8Array, at: number, mask = 1): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
};

/** `step code` of every step that does not hold. */
export const failures = ({ reasons }: AttestationVerdict): string[] =>
  reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);

/** The codes that tell why, without the steps that could not be taken for it. */
export const codesOf = (verdict: AttestationVerdict): string[] => [
  ...new Set(
    verdict.reasons.filter((step) => !step.ok && step.code !== 'NOT_CHECKED').map(({ code }) => code),
  ),
];

/** A refusal with reasons, whatever was altered: never a crash, never acceptance. */
export const expectRefused = async (input: AttestationInput): Promise<string[]> => {
  const verdict = await verifyAttestation(input);
  expect(verdict.verified || verdict.acceptable).toBe(false);
  expect(verdict.platform).toBe('simulated');
  const codes = codesOf(verdict);
  expect(codes).not.toEqual([]);
  return codes;
};
