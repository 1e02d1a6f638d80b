import { randomBytes } from 'node:crypto';
import type { Enclave } from '../domain/enclave/enclave.ts';
import type {
  EnclaveEvent,
  EnclaveFailed,
  EnclaveFault,
  FaultCause,
  VerificationStep,
  WorkOrder,
} from '../domain/enclave/events.ts';
import { RUN_GRACE_SECONDS, workErrors } from '../domain/enclave/limits.ts';
import { hadItsPace, promisedPace } from '../domain/enclave/pace.ts';
import { blameFor } from '../domain/enclave/refusal.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { newEvent } from '../domain/event.ts';
import type { MeshRefusal, NodeReplies } from '../domain/mesh/messages.ts';
import type { Artifacts } from '../domain/ports/artifacts.ts';
import { type EventStore, NO_STREAM } from '../domain/ports/event-store.ts';
import type { ProofRecorded } from '../domain/proof/events.ts';
import type { ExecutionProof, ExecutionRecord } from '../domain/proof/record.ts';
import type { MeteringOf } from '../infra/artifacts/metering-of.ts';
import type { Nonces } from '../infra/keys/nonces.ts';
import { type AttestationJudge, brokenStep } from '../infra/providers/attestation-judge.ts';
import { checkOrder } from '../infra/sandbox/order-rules.ts';
import { type TrustedRoot, verifyExecutionProof } from '../infra/verify/index.ts';
import type { AskPatiently } from './patience.ts';

export interface EnclaveDeps {
  readonly ask: AskPatiently;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly meteringOf: MeteringOf;
  readonly nonces: Nonces;
  readonly judge: AttestationJudge;
  /** Roots that the engine trusts: the vendors', and the simulated one where the profile has it. */
  readonly roots: readonly TrustedRoot[];
  readonly now: () => string;
}

interface Input {
  readonly enclave: Enclave;
}

type AttestedType = 'enclave.attested' | 'enclave.attestation-renewed';

const LAUNCH_WINDOW_MS = 30_000;
const DESTROY_WINDOW_MS = 5_000;

/** What comes here a node has done or left undone, or was asked for in vain: nothing of it is the engine's doing. */
const causeOf = (fault: EnclaveFault): FaultCause => (fault === 'stopped' ? 'submitter' : 'node');

const failed = (
  fault: EnclaveFault,
  code: ErrorCode,
  message: string,
  steps: readonly VerificationStep[] = [],
): EnclaveFailed => ({ type: 'enclave.failed', fault, cause: causeOf(fault), code, message, steps });

/**
 * What a report that is not accepted means. Whether its hardware is simulated, a node has said when it was admitted: a
 * job that wants more finds no place there, and the node did no wrong.
 */
const attestationFault = (steps: readonly VerificationStep[]): EnclaveFault =>
  steps.every(({ ok, code }) => ok || code === 'SIMULATED_PLATFORM') ? 'stopped' : 'attestation';

/** Why a run out of time is its node's doing. */
const tooSlow = ({ resources: { wallMs, probedFuelPerSecond } }: ExecutionRecord, work: WorkOrder): string =>
  `the run was not done in ${wallMs / 1000} s of ${work.timeLimitSeconds}, and known work beside it went at ` +
  `${probedFuelPerSecond} units of fuel a second where ${promisedPace(work)} were promised`;

/** Effects of an enclave: what the engine asks of a node, and how it checks the answers. */
export const createEnclaveActivities = ({
  ask,
  store,
  artifacts,
  meteringOf,
  nonces,
  judge,
  roots,
  now,
}: EnclaveDeps) => {
  const moduleOf = async (codeHash: string): Promise<Uint8Array> => {
    const bytes = await artifacts.read(codeHash);
    if (!bytes) throw new Error(`artefact ${codeHash} is gone`);
    return bytes;
  };

  const judgeAttestation = async (
    enclave: Enclave,
    nonce: string,
    { evidence, enclaveKey }: NodeReplies['attest-enclave'],
    type: AttestedType,
  ): Promise<EnclaveEvent> => {
    if (enclaveKey !== enclave.enclaveKey) {
      return failed('attestation', 'ATTESTATION_FAILED', 'the report is for another enclave key');
    }
    const { enclaveId, providerId, codeHash, config, allowSimulated } = enclave;
    const subject = { type: 'enclave', enclaveId, enclaveKey, providerId, codeHash, config } as const;
    const judgement = await judge.judge(subject, nonce, evidence, { allowSimulated });
    if (!judgement.ok) {
      const { message, steps } = judgement;
      return failed(attestationFault(steps), 'ATTESTATION_FAILED', message, steps);
    }
    const { reportHash, measurement, label, steps, attestedAt, expiresAt } = judgement.report;
    return { type, reportHash, measurement, nonce, label, steps, attestedAt, expiresAt };
  };

  /** A node's refusal, held against the engine's own look at what it had asked for. */
  const refused = async (
    enclave: Enclave,
    { code, message, errors = [] }: MeshRefusal,
    launched: boolean,
  ) => {
    const { codeHash, config, work } = enclave;
    const module = await artifacts.read(codeHash);
    const checked = module ? await checkOrder({ code: module, codeHash, config }) : null;
    const order = [
      ...(checked && !checked.ok ? (checked.errors ?? []) : []),
      ...(work ? workErrors(work).map(({ field, rule }) => ({ field: `work.${field}`, rule })) : []),
    ];
    const artefacts = module !== null && (!work || (await artifacts.read(work.inputHash)) !== null);
    const { fault, cause } = blameFor({ code, errors, launched, order, artefacts });
    const [broken] = order;
    const why = broken ? `the order breaks a rule: ${broken.field}: ${broken.rule}` : message;
    return { ...failed(fault, code, why), cause };
  };

  /** Asks the node for a report under a fresh nonce, and judges it. `silence`: what no answer in time means. */
  const attest = async (
    enclave: Enclave,
    type: AttestedType,
    silence: readonly [EnclaveFault, ErrorCode],
  ): Promise<EnclaveEvent[]> => {
    const nonce = randomBytes(32).toString('hex');
    if (!(await nonces.use(nonce, enclave.enclaveId))) throw new Error('a fresh nonce was used before');
    const { reply } = await ask(
      enclave.providerId,
      { type: 'attest-enclave', enclaveId: enclave.enclaveId, nonce },
      { windowMs: LAUNCH_WINDOW_MS },
    );
    switch (reply.type) {
      case 'attestation':
        return [await judgeAttestation(enclave, nonce, reply, type)];
      case 'refused':
        return [await refused(enclave, reply, true)];
      case 'lost':
        return [failed('lost', 'RESOURCE_UNAVAILABLE', reply.message)];
      case 'silent':
        return [failed(...silence, reply.message)];
    }
  };

  /**
   * The nonce that the report in a proof must carry: one that the engine took once. It is a newer one than the engine
   * had recorded when the run began, if the enclave was attested again meanwhile.
   */
  const nonceOf = async (enclave: Enclave, { attestation }: ExecutionProof): Promise<string> =>
    (await nonces.isUsed(attestation.nonce)) ? attestation.nonce : (enclave.attestation?.nonce ?? '');

  /** What a run has to show beside its result: orders from before metering name no fuel. */
  const meteredBy = async ({ codeHash, work }: Enclave, module: Uint8Array) => {
    if (work?.fuelLimit === undefined) return {};
    const metered = await meteringOf(codeHash, module);
    if (!metered.ok) throw new Error(`${codeHash} cannot be metered: ${metered.message}`);
    return { fuelLimit: work.fuelLimit, metering: metered.value.metering };
  };

  const judgeProof = async (enclave: Enclave, proof: ExecutionProof) => {
    const module = await moduleOf(enclave.codeHash);
    return verifyExecutionProof(proof, {
      roots,
      now: now(),
      policy: { allowSimulated: enclave.allowSimulated },
      expected: {
        jobId: enclave.jobId,
        enclaveId: enclave.enclaveId,
        providerId: enclave.providerId,
        moduleHash: enclave.codeHash,
        args: enclave.work?.args ?? [],
        inputHash: enclave.work?.inputHash ?? '',
        enclaveKey: enclave.enclaveKey ?? '',
        nonce: await nonceOf(enclave, proof),
        config: enclave.config,
        module,
        ...(await meteredBy(enclave, module)),
      },
    });
  };

  const recordProof = async (enclave: Enclave, event: ProofRecorded): Promise<void> => {
    const stream = event.proof.proofId;
    const context = {
      occurredAt: event.recordedAt,
      actor: 'engine',
      correlationId: enclave.jobId ?? enclave.enclaveId,
      causationId: enclave.enclaveId,
      traceparent: null,
    };
    const result = await store.append({
      stream,
      expectedRevision: NO_STREAM,
      events: [newEvent(event, context)],
    });
    // The id is the hash of the record: whoever was first wrote the same proof.
    if (!result.ok && result.reason === 'conflict' && result.actualRevision < 0n)
      throw new Error(`${stream} conflicts but is empty`);
  };

  return {
    'enclave.createOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      const { providerId, enclaveId, platform, codeHash, config, reservation, expiresAt } = enclave;
      const { reply } = await ask(
        providerId,
        {
          type: 'create-enclave',
          enclaveId,
          platform,
          codeHash,
          config,
          ...(reservation === undefined ? {} : { reservation }),
          expiresAt,
        },
        { windowMs: LAUNCH_WINDOW_MS },
      );
      switch (reply.type) {
        case 'enclave-created':
          return [{ type: 'enclave.created', enclaveKey: reply.enclaveKey }];
        case 'refused':
          return [await refused(enclave, reply, false)];
        case 'lost':
          return [failed('lost', 'RESOURCE_UNAVAILABLE', reply.message)];
        case 'silent':
          return [failed('no-show', 'TEE_UNAVAILABLE', reply.message)];
      }
    },

    'enclave.attest': ({ enclave }: Input): Promise<EnclaveEvent[]> =>
      attest(enclave, 'enclave.attested', ['no-show', 'TEE_UNAVAILABLE']),

    /** A node that has attested once and falls silent has crashed; a report that does not hold is still its fault. */
    'enclave.reattest': ({ enclave }: Input): Promise<EnclaveEvent[]> =>
      attest(enclave, 'enclave.attestation-renewed', ['lost', 'RESOURCE_UNAVAILABLE']),

    'enclave.runOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      const { providerId, enclaveId, jobId, work } = enclave;
      if (!work) throw new Error(`${enclaveId} runs without work`);
      const { reply, missedHeartbeats, missedInAll } = await ask(
        providerId,
        { type: 'run-enclave', enclaveId, jobId, work },
        { windowMs: (work.timeLimitSeconds + RUN_GRACE_SECONDS) * 1000 },
      );
      switch (reply.type) {
        case 'run-finished': {
          const { proof } = reply;
          const verdict = await judgeProof(enclave, proof);
          if (!verdict.valid) {
            const message = `the proof does not hold: ${brokenStep(verdict.reasons)}`;
            return [failed('attestation', 'PROOF_VERIFICATION_FAILED', message, verdict.reasons)];
          }
          const { record, proofId } = proof;
          if (record.outcome === 'time_limit' && !hadItsPace(record.resources, work))
            return [failed('lost', 'RESOURCE_UNAVAILABLE', tooSlow(record, work))];
          const at = now();
          await recordProof(enclave, {
            type: 'proof.recorded',
            machineVersion: 1,
            proof,
            label: verdict.platform,
            valid: verdict.valid,
            steps: verdict.reasons,
            recordedAt: at,
          });
          return [
            {
              type: 'enclave.run-finished',
              proof: { proofId, record },
              missedHeartbeats,
              missedInAll,
              finishedAt: at,
            },
          ];
        }
        case 'refused':
          return [await refused(enclave, reply, true)];
        case 'lost':
        case 'silent':
          return [failed('lost', 'RESOURCE_UNAVAILABLE', reply.message)];
      }
    },

    /** Compensation: asks once more or less; a node that is gone has nothing left to destroy. */
    'enclave.destroyOnNode': async ({ enclave }: Input): Promise<EnclaveEvent[]> => {
      const { reply } = await ask(
        enclave.providerId,
        { type: 'destroy-enclave', enclaveId: enclave.enclaveId },
        { windowMs: DESTROY_WINDOW_MS },
      );
      const confirmed = reply.type === 'destroyed';
      return [{ type: 'enclave.destroyed', reason: enclave.destroyReason, confirmed }];
    },
  };
};
