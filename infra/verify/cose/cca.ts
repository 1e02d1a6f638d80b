import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { VerificationStep } from '../../../domain/enclave/events.ts';
import { equalBytes } from '../bytes.ts';
import { nowMs } from '../clock.ts';
import { measurementStep, reportDataStep, runtimeStep } from '../demands.ts';
import { MalformedError } from '../der.ts';
import type { AttestationExpectation, AttestationPolicy } from '../policy.ts';
import { notChecked, stepOf, type Verdict } from '../steps.ts';
import { type AttestationVerdict, parsed, unreadable, verdictOf } from '../verdict.ts';
import { type Cbor, CborTag, decodeCbor } from './cbor.ts';
import { type Claims, claimsOf } from './claims.ts';
import { keyTrust, parseKey } from './key.ts';
import { CLAIM, DIGEST_SIZES, lifecycleStep } from './lifecycle.ts';
import type { TokenInput } from './psa.ts';
import { parseSign1, type Sign1, sign1Holds } from './sign1.ts';

/** CBOR tag and members of the collection (Realm Management Monitor specification, attestation token). */
const COLLECTION = { tag: 399, platform: 44234, realm: 44241 } as const;
/** Claims of the realm part. */
const REALM = { initial: 44238, extensible: 44239, publicKey: 44237, keyHash: 44240 } as const;
const PLATFORM_PROFILES: readonly string[] = ['http://arm.com/CCA-SSD/1.0.0'];
/** An uncompressed P-384 point. */
const REALM_KEY_SIZE = 97;
const CHALLENGE_SIZE = 64;
const HASHES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  'sha-256': sha256,
  'sha-384': sha384,
  'sha-512': sha512,
};

const CLAIM_STEPS = [
  'profile',
  'claims',
  'lifecycle',
  'measurement',
  'runtime-measurements',
  'report-data',
] as const;
const STEPS = [
  'key',
  'platform-signature',
  'realm-signature',
  'binding',
  ...CLAIM_STEPS,
  'platform',
] as const;

interface Token {
  readonly platform: Sign1;
  readonly realm: Sign1;
}

const partOf = (members: ReadonlyMap<number | string, Cbor>, label: number): Sign1 => {
  const part = members.get(label);
  if (!ArrayBuffer.isView(part)) throw new MalformedError(`part ${label} is missing`);
  return parseSign1(decodeCbor(part));
};

/** @throws MalformedError on anything but the two parts under their tag. */
const parseToken = (bytes: Uint8Array): Token => {
  const outer = decodeCbor(bytes);
  if (!(outer instanceof CborTag) || outer.tag !== COLLECTION.tag || !(outer.value instanceof Map))
    throw new MalformedError('not a CCA token');
  const members = outer.value as ReadonlyMap<number | string, Cbor>;
  if (members.size !== 2) throw new MalformedError('a CCA token has two parts');
  return { platform: partOf(members, COLLECTION.platform), realm: partOf(members, COLLECTION.realm) };
};

/** Whether the platform vouches for the realm's key: its nonce is the hash of that key, as the realm names it. */
const bindingVerdict = (platform: Claims, realm: Claims): Verdict => {
  const hash = Object.hasOwn(HASHES, realm.text(REALM.keyHash))
    ? HASHES[realm.text(REALM.keyHash)]
    : undefined;
  const nonce = platform.bytes(CLAIM.nonce, ...DIGEST_SIZES);
  const bound = hash !== undefined && equalBytes(hash(realm.bytes(REALM.publicKey, REALM_KEY_SIZE)), nonce);
  return bound ? null : 'BINDING_BROKEN';
};

const realmSteps = async ({ platform, realm }: Token): Promise<VerificationStep[]> => {
  const claims = claimsOf(realm.payload);
  const signed = await sign1Holds(realm, claims.bytes(REALM.publicKey, REALM_KEY_SIZE));
  const binding = await parsed(() => ({ code: bindingVerdict(claimsOf(platform.payload), claims) }));
  return [
    stepOf('realm-signature', signed ? null : 'BAD_SIGNATURE'),
    stepOf('binding', binding ? binding.code : 'BINDING_BROKEN'),
  ];
};

const extensible = (realm: Claims): Uint8Array[] =>
  realm.list(REALM.extensible).map((each) => {
    if (!ArrayBuffer.isView(each)) throw new MalformedError('a register is no byte string');
    return each;
  });

const claimSteps = (
  token: Token,
  policy: AttestationPolicy,
  expected: AttestationExpectation,
): VerificationStep[] => {
  const platform = claimsOf(token.platform.payload);
  const realm = claimsOf(token.realm.payload);
  platform.bytes(CLAIM.implementationId, 32);
  platform.bytes(CLAIM.instanceId, 33);
  const known = PLATFORM_PROFILES.includes(platform.text(CLAIM.profile));
  return [
    stepOf('profile', known ? null : 'PROFILE_UNKNOWN'),
    stepOf('claims', null),
    lifecycleStep(platform, policy),
    measurementStep([realm.bytes(REALM.initial, ...DIGEST_SIZES)], policy, expected),
    runtimeStep(extensible(realm), expected),
    reportDataStep(realm.bytes(CLAIM.nonce, CHALLENGE_SIZE), expected, true),
  ];
};

const unreadableClaims = (): VerificationStep[] =>
  CLAIM_STEPS.map((step) => (step === 'claims' ? stepOf(step, 'BAD_CLAIMS') : notChecked(step)));

/**
 * Verifies an Arm CCA attestation token: the platform part under the key in the collateral, the realm part under the
 * key that it names, and the hash that binds that key to the platform. What cannot be read is a verdict.
 */
export const verifyCca = async (input: TokenInput): Promise<AttestationVerdict> => {
  const policy = input.policy ?? {};
  nowMs(input.now);
  const token = await parsed(() => parseToken(input.evidence));
  if (!token) return unreadable('MALFORMED', STEPS);
  const key = await parsed(() => parseKey(input.collateral));
  if (!key) return unreadable('BAD_COLLATERAL', STEPS);

  const trust = keyTrust('cca', key, policy.roots);
  const [signed, realm] = await Promise.all([
    sign1Holds(token.platform, key),
    parsed(() => realmSteps(token)),
  ]);
  const genuine = [
    stepOf('format', null),
    trust.step,
    stepOf('platform-signature', signed ? null : 'BAD_SIGNATURE'),
    ...(realm ?? [stepOf('realm-signature', 'BAD_CLAIMS'), notChecked('binding')]),
  ];
  const claims = await parsed(() => claimSteps(token, policy, input.expected ?? {}));
  return verdictOf(genuine, claims ?? unreadableClaims(), trust.root, policy);
};
