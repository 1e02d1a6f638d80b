import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { newEvent } from '../../../domain/event.ts';
import { canonicalJson } from '../../../domain/json.ts';
import { NO_STREAM } from '../../../domain/ports/event-store.ts';
import type { ProofRecorded } from '../../../domain/proof/events.ts';
import { executionProofSchema } from '../../../domain/proof/schema.ts';
import { verifyExecutionProof } from '../../../infra/verify/index.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, position, sha256 } from '../../fields.ts';
import { hasRole } from '../../roles.ts';

/** The guide's three (R43); the other two need more than one record and follow with the transparency log. */
const PROOF_TYPES = ['proof_of_execution'] as const;

/** Enters a proof into the log: its evidence is the record that the enclave signed, with the report that binds its key. */
export const generateProof = ({
  artifacts,
  now,
  ownersOf,
  requireHardware,
  roots,
  store,
}: Pick<RouteDependencies, 'artifacts' | 'now' | 'ownersOf' | 'requireHardware' | 'roots' | 'store'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/proofs/generate',
      summary: 'Make a proof of signed evidence',
      tag: 'proofs',
      access: ['provider', 'engine'],
      body: z.strictObject({
        proof_type: z.string().max(100),
        enclave_id: idOf('enclave').optional(),
        task_id: idOf('job').optional(),
        input_hash: sha256.optional(),
        evidence: executionProofSchema,
      }),
      responses: {
        201: z.object({
          proof_id: z.string(),
          proof_type: z.enum(PROOF_TYPES),
          proof_data: z.object({
            merkle_root: z.null(),
            signature: z.string(),
            witness: executionProofSchema,
          }),
          label: z.enum(['hardware', 'simulated']),
          logged: z.literal(true),
          anchored: z.literal(false),
          position,
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'UNSUPPORTED_PROOF_TYPE', 'PROOF_VERIFICATION_FAILED', 'CONFLICT'],
    },
    async ({ principal, commandId, traceparent }, { body }) => {
      if (body.proof_type !== PROOF_TYPES[0]) {
        return reject('UNSUPPORTED_PROOF_TYPE', 'no such proof type', [
          { field: 'proof_type', rule: `one of ${PROOF_TYPES.join(', ')}` },
        ]);
      }
      const proof = body.evidence;
      const { providerId, moduleHash } = proof.record;
      const owners = await ownersOf(providerId);
      if (!owners?.has(principal.id) && !hasRole(principal, 'engine')) {
        return reject('RESOURCE_NOT_FOUND', `no provider ${providerId}`, [
          { field: 'evidence.record.providerId', rule: 'a provider of yours' },
        ]);
      }
      const module = await artifacts.read(moduleHash);
      const at = now();
      const verdict = await verifyExecutionProof(proof, {
        roots,
        now: at,
        policy: { allowSimulated: !requireHardware },
        expected: {
          ...(body.enclave_id === undefined ? {} : { enclaveId: body.enclave_id }),
          ...(body.task_id === undefined ? {} : { jobId: body.task_id }),
          ...(body.input_hash === undefined ? {} : { inputHash: body.input_hash }),
          ...(module ? { module } : {}),
        },
      });
      if (!verdict.valid) {
        const broken = verdict.reasons.filter((step) => !step.ok);
        return reject(
          'PROOF_VERIFICATION_FAILED',
          'the evidence does not verify',
          broken.map(({ step, code }) => ({ field: `evidence.${step}`, rule: code })),
        );
      }
      const event: ProofRecorded = {
        type: 'proof.recorded',
        machineVersion: 1,
        proof,
        label: verdict.platform,
        valid: true,
        steps: verdict.reasons,
        recordedAt: at,
      };
      const { proofId } = proof;
      const [known] = await store.readStream(proofId);
      let where = known?.position;
      if (known && canonicalJson(known.data['proof']) !== canonicalJson(proof)) {
        return reject('CONFLICT', 'another signature over this record is in the log already');
      }
      if (where === undefined) {
        const context = {
          occurredAt: at,
          actor: principal.id,
          correlationId: proof.record.jobId ?? proof.record.enclaveId,
          causationId: commandId,
          traceparent,
        };
        const appended = await store.append({
          stream: proofId,
          expectedRevision: NO_STREAM,
          events: [newEvent(event, context)],
        });
        where = appended.ok ? appended.position : (await store.readStream(proofId))[0]?.position;
      }
      return respond(201, {
        proof_id: proofId,
        proof_type: PROOF_TYPES[0],
        proof_data: { merkle_root: null, signature: proof.signature, witness: proof },
        label: verdict.platform,
        logged: true,
        anchored: false,
        position: String(where),
      });
    },
  );
