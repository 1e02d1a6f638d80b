import { bytesToHex } from '@noble/hashes/utils.js';
import type { VerificationStep } from '../../domain/enclave/events.ts';
import { reportData } from '../../domain/enclave/measurement.ts';
import { equalBytes, fromHex } from './bytes.ts';
import { MalformedError } from './der.ts';
import type { AttestationExpectation, AttestationPolicy, BytesOrHex } from './policy.ts';
import { notExpected, stepOf } from './steps.ts';

const LONGEST = 64;

/** Bytes of a demand; null when it is not well-formed, so that nothing can meet it. */
const bytesOf = (demand: unknown): Uint8Array | null => {
  if (ArrayBuffer.isView(demand)) return demand as Uint8Array;
  if (typeof demand !== 'string') return null;
  try {
    return fromHex(demand, LONGEST);
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};

const meets = (found: Uint8Array, demand: BytesOrHex): boolean => {
  const wanted = bytesOf(demand);
  return wanted !== null && wanted.length > 0 && equalBytes(wanted, found);
};

const isListed = (found: Uint8Array, list: readonly string[]): boolean =>
  list.some((entry) => entry.toLowerCase() === bytesToHex(found));

/**
 * The measurements of a report against what is expected and allowed: one of them is the expected one, all are allowed.
 */
export const measurementStep = (
  found: readonly Uint8Array[],
  policy: AttestationPolicy,
  { measurement }: AttestationExpectation,
): VerificationStep => {
  const { measurements } = policy;
  if (measurement === undefined && measurements === undefined) return notExpected('measurement');
  if (measurement !== undefined && !found.some((each) => meets(each, measurement)))
    return stepOf('measurement', 'MEASUREMENT_MISMATCH');
  const allowed = measurements === undefined || found.every((each) => isListed(each, measurements));
  return stepOf('measurement', allowed ? null : 'MEASUREMENT_NOT_ALLOWED');
};

/** Who signed what runs, against the allow-list. */
export const signerStep = (
  found: readonly Uint8Array[],
  { signers }: AttestationPolicy,
): VerificationStep => {
  if (signers === undefined) return notExpected('signer');
  return stepOf('signer', found.every((each) => isListed(each, signers)) ? null : 'SIGNER_NOT_ALLOWED');
};

/** Registers that the guest extended at run time: as many as are expected, in order. */
export const runtimeStep = (
  found: readonly Uint8Array[],
  { runtimeMeasurements: expected }: AttestationExpectation,
): VerificationStep => {
  if (expected === undefined) return notExpected('runtime-measurements');
  const holds =
    Array.isArray(expected) &&
    expected.length <= found.length &&
    [...expected].every((each, index) => meets(found[index] as Uint8Array, each));
  return stepOf('runtime-measurements', holds ? null : 'RUNTIME_MEASUREMENT_MISMATCH');
};

/** null: nothing demanded; undefined: demanded, but not well-formed, so nothing can meet it. */
const demandedData = (
  { reportData: data, nonce, key }: AttestationExpectation,
  nonceAlone: boolean,
): Uint8Array | null | undefined => {
  if (data !== undefined) return bytesOf(data) ?? undefined;
  if (nonce === undefined && key === undefined) return null;
  if (nonceAlone && key === undefined) return bytesOf(nonce) ?? undefined;
  const [nonceBytes, keyBytes] = [bytesOf(nonce), bytesOf(key)];
  if (nonceBytes?.length !== 32 || keyBytes?.length !== 32) return undefined;
  return reportData(bytesToHex(nonceBytes), bytesToHex(keyBytes));
};

/**
 * What the report was bound to by its requester. `nonceAlone`: the format carries a nonce, so that one without a key
 * can be demanded.
 */
export const reportDataStep = (
  found: Uint8Array,
  expected: AttestationExpectation,
  nonceAlone = false,
): VerificationStep => {
  const demanded = demandedData(expected, nonceAlone);
  if (demanded === null) return notExpected('report-data');
  const holds = demanded !== undefined && equalBytes(demanded, found);
  return stepOf('report-data', holds ? null : 'REPORT_DATA_MISMATCH');
};
