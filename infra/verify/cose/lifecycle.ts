import type { VerificationStep } from '../../../domain/enclave/events.ts';
import type { AttestationPolicy } from '../policy.ts';
import { stepOf } from '../steps.ts';
import type { Claims } from './claims.ts';

/** Claims that PSA tokens (RFC 9783 §4) and the platform part of CCA tokens share. */
export const CLAIM = {
  nonce: 10,
  instanceId: 256,
  profile: 265,
  bootSeed: 268,
  clientId: 2394,
  lifecycle: 2395,
  implementationId: 2396,
  olderBootSeed: 2397,
  components: 2399,
} as const;

/** Members of a software component (RFC 9783 §4.4.1). */
const COMPONENT = { measurement: 2, signer: 5 } as const;
export const DIGEST_SIZES = [32, 48, 64] as const;

/** Upper bytes of the security lifecycle claim (RFC 9783 §4.3.1). */
const SECURED = 0x30;
const NON_ROOT_DEBUG = 0x40;

/** A platform whose root of trust is locked; where debugging is allowed, also one that debugs what is above that root. */
export const lifecycleStep = (claims: Claims, { allowDebug }: AttestationPolicy): VerificationStep => {
  const state = claims.whole(CLAIM.lifecycle) >> 8;
  const accepted = state === SECURED || (allowDebug === true && state === NON_ROOT_DEBUG);
  return stepOf('lifecycle', accepted ? null : 'LIFECYCLE_NOT_SECURED');
};

/** Measurements and signers of the software components. @throws MalformedError */
export const componentsOf = (claims: Claims): { measurements: Uint8Array[]; signers: Uint8Array[] } => {
  const components = claims.maps(CLAIM.components);
  return {
    measurements: components.map((each) => each.bytes(COMPONENT.measurement, ...DIGEST_SIZES)),
    signers: components.map((each) => each.bytes(COMPONENT.signer, ...DIGEST_SIZES)),
  };
};
