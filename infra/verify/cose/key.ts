import type { PlatformLabel, VerificationStep } from '../../../domain/enclave/events.ts';
import { publicKeyBytes } from '../bytes.ts';
import { MalformedError } from '../der.ts';
import { type AttestationFormat, rootsFor, type TrustedRoot } from '../roots.ts';
import { stepOf } from '../steps.ts';
import { keyHashOf } from '../x509/chain.ts';

/** Collateral of a token: the public key of the platform that signed it, as DER or PEM bytes. */
export interface KeyCollateral {
  readonly key: Uint8Array;
}

/** @throws MalformedError */
export const parseKey = (collateral: unknown): Uint8Array => {
  const key = (collateral as Partial<KeyCollateral> | null | undefined)?.key;
  if (!ArrayBuffer.isView(key)) throw new MalformedError('the key is missing');
  return publicKeyBytes(key);
};

/** Trusted because whoever asked for the verification put the key in, and named no trust store. */
const CALLERS_WORD = { platform: 'hardware' } as const;

/** Who vouches for the key of a token: the trust store where one is given, otherwise the caller. */
export const keyTrust = (
  format: AttestationFormat,
  key: Uint8Array,
  roots: readonly TrustedRoot[] | undefined,
): { step: VerificationStep; root: { readonly platform: PlatformLabel } | undefined } => {
  if (roots === undefined)
    return { step: { step: 'key', ok: true, code: 'KEY_OF_CALLER' }, root: CALLERS_WORD };
  const hash = keyHashOf(key);
  const root = rootsFor(format, roots).find(({ keyHash }) => keyHash === hash);
  return { step: stepOf('key', root ? null : 'UNKNOWN_ROOT'), root };
};
