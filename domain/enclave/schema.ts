import { z } from 'zod';
import { proofIdSchema, storedRecord } from '../proof/schema.ts';
import {
  count,
  errorCode,
  hex,
  id,
  instant,
  listOf,
  micro,
  name,
  platformLabel,
  schemaOf,
  seconds,
  text,
  tops,
  verificationStep,
  version,
} from '../schema.ts';
import { ENCLAVE_FAULTS, type EnclaveEvent, FAULT_CAUSES, PLATFORMS } from './events.ts';

export const platform = z.enum(PLATFORMS);
export const faultCause = z.enum(FAULT_CAUSES);
export const enclaveFault = z.enum(ENCLAVE_FAULTS);

const attestation = {
  reportHash: hex(32),
  measurement: hex(48),
  nonce: hex(32),
  label: platformLabel,
  steps: listOf(verificationStep),
  attestedAt: instant,
  expiresAt: instant,
};

/** The stored events of an enclave. */
export const enclaveEventSchema = schemaOf<EnclaveEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('enclave.requested'),
      machineVersion: version,
      enclaveId: id,
      providerId: id,
      owner: name,
      submitter: name,
      jobId: id.nullable(),
      platform,
      codeHash: hex(32),
      config: z.strictObject({
        memoryMb: z.int().positive(),
        cpuCores: z.int().positive(),
        allowDebug: z.literal(false),
      }),
      allowSimulated: z.boolean(),
      reservation: z.strictObject({ auctionId: id, tops }).exactOptional(),
      rent: z.strictObject({ hourly: micro, held: micro }).exactOptional(),
      requestedAt: instant,
      expiresAt: instant,
    }),
    z.strictObject({ type: z.literal('enclave.created'), enclaveKey: hex(32) }),
    z.strictObject({ type: z.literal('enclave.attested'), ...attestation }),
    z.strictObject({ type: z.literal('enclave.renewal-started'), startedAt: instant }),
    z.strictObject({ type: z.literal('enclave.attestation-renewed'), ...attestation }),
    z.strictObject({
      type: z.literal('enclave.failed'),
      fault: enclaveFault,
      cause: faultCause.exactOptional(),
      code: errorCode,
      message: text,
      steps: listOf(verificationStep),
      endedAt: instant.exactOptional(),
    }),
    z.strictObject({
      type: z.literal('enclave.run-started'),
      work: z.strictObject({
        args: listOf(text),
        inputHash: hex(32),
        randomSeed: hex(32),
        clockStart: instant,
        timeLimitSeconds: seconds,
        fuelLimit: z.int().positive().exactOptional(),
      }),
      startedAt: instant,
    }),
    z.strictObject({
      type: z.literal('enclave.run-finished'),
      proof: z.strictObject({ proofId: proofIdSchema, record: storedRecord }),
      missedHeartbeats: count,
      missedInAll: count.exactOptional(),
      finishedAt: instant,
    }),
    z.strictObject({ type: z.literal('enclave.destroyed'), reason: text, confirmed: z.boolean() }),
  ]),
);
