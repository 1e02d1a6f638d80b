import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { type Now, nowMs } from '../clock.ts';
import { measurementStep, reportDataStep, signerStep } from '../demands.ts';
import { MalformedError } from '../der.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { notChecked, stepOf } from '../steps.ts';
import { type AttestationVerdict, parsed, unreadable, verdictOf } from '../verdict.ts';
import { decodeCbor } from './cbor.ts';
import { type Claims, claimsOf } from './claims.ts';
import { type KeyCollateral, keyTrust, parseKey } from './key.ts';
import { CLAIM, componentsOf, DIGEST_SIZES, lifecycleStep } from './lifecycle.ts';
import { parseSign1, type Sign1, SymmetricError, sign1Holds } from './sign1.ts';

export interface TokenInput {
  readonly evidence: Uint8Array;
  readonly collateral: KeyCollateral;
  readonly now: Now;
  readonly policy?: AttestationPolicy | undefined;
  readonly expected?: AttestationExpectation | undefined;
}

/** Profiles whose claims are understood, with where they keep the boot seed. */
const PROFILES: ReadonlyMap<string, { label: number; sizes: readonly number[] }> = new Map([
  ['tag:psacertified.org,2023:psa#tfm', { label: CLAIM.bootSeed, sizes: range(8, 32) }],
  ['http://arm.com/psa/2.0.0', { label: CLAIM.olderBootSeed, sizes: [32] }],
]);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const CLAIM_STEPS = ['profile', 'claims', 'lifecycle', 'measurement', 'signer', 'report-data'] as const;
const STEPS = ['key', 'signature', ...CLAIM_STEPS, 'platform'] as const;

/** First byte of an instance id: a random universal entity id (RFC 9711 §4.2.1). */
const UEID_RANDOM = 0x01;

/** Claims that every token must have, whatever is demanded of it. @throws MalformedError */
const checkMandatory = (claims: Claims, seed: { label: number; sizes: readonly number[] }): void => {
  claims.bytes(CLAIM.implementationId, 32);
  if (claims.bytes(CLAIM.instanceId, 33)[0] !== UEID_RANDOM) throw new MalformedError('not an instance id');
  if (claims.has(seed.label)) claims.bytes(seed.label, ...seed.sizes);
};

const readClaims = (payload: Uint8Array) => {
  const claims = claimsOf(payload);
  const seed = PROFILES.get(claims.text(CLAIM.profile));
  if (!seed) return 'PROFILE_UNKNOWN' as const;
  checkMandatory(claims, seed);
  return { claims, nonce: claims.bytes(CLAIM.nonce, ...DIGEST_SIZES), ...componentsOf(claims) };
};

/** Policy's view of the claims. A profile that is not understood leaves every claim without a meaning. */
const claimSteps = (
  payload: Uint8Array,
  policy: AttestationPolicy,
  expected: AttestationExpectation,
): VerificationStep[] => {
  const found = readClaims(payload);
  const [, , ...rest] = CLAIM_STEPS;
  if (found === 'PROFILE_UNKNOWN')
    return [stepOf('profile', found), notChecked('claims'), ...rest.map(notChecked)];
  return [
    stepOf('profile', null),
    stepOf('claims', null),
    lifecycleStep(found.claims, policy),
    measurementStep(found.measurements, policy, expected),
    signerStep(found.signers, policy),
    reportDataStep(found.nonce, expected, true),
  ];
};

const unreadableClaims = (): VerificationStep[] =>
  CLAIM_STEPS.map((step) => (step === 'claims' ? stepOf(step, 'BAD_CLAIMS') : notChecked(step)));

/** A message, or the code that tells why it is none. */
export const readSign1 = (bytes: Uint8Array): Sign1 | string => {
  try {
    return parseSign1(decodeCbor(bytes));
  } catch (error) {
    if (error instanceof SymmetricError) return 'MAC_REFUSED';
    if (error instanceof MalformedError) return 'MALFORMED';
    throw error;
  }
};

/**
 * Verifies an Arm PSA attestation token (RFC 9783, and its 2.0.0 draft profile): COSE_Sign1 under the key in the
 * collateral. A COSE_Mac0 is refused: whoever can check it could have made it. What cannot be read is a verdict.
 */
export const verifyPsa = async (input: TokenInput): Promise<AttestationVerdict> => {
  const policy = input.policy ?? {};
  // The token carries no time; a clock that is none is still the caller's mistake.
  nowMs(input.now);
  const message = readSign1(input.evidence);
  if (typeof message === 'string') return unreadable(message, STEPS);
  const key = await parsed(() => parseKey(input.collateral));
  if (!key) return unreadable('BAD_COLLATERAL', STEPS);

  const trust = keyTrust('psa', key, policy.roots);
  const signed = await sign1Holds(message, key);
  const genuine = [stepOf('format', null), trust.step, stepOf('signature', signed ? null : 'BAD_SIGNATURE')];
  const claims = await parsed(() => claimSteps(message.payload, policy, input.expected ?? {}));
  return verdictOf(genuine, claims ?? unreadableClaims(), trust.root, policy);
};
