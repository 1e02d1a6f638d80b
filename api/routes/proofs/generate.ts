import { z } from 'zod';
import { type FieldError, reject } from '../../../domain/errors.ts';
import {
  availabilityProofSchema,
  availabilityRecordSchema,
  slaProofSchema,
  slaRecordSchema,
} from '../../../domain/proof/observed/schema.ts';
import { executionProofSchema } from '../../../domain/proof/schema.ts';
import { foreignJson, nameOf } from '../../../domain/schema.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, position, sha256 } from '../../fields.ts';
import { creditSchema, creditView } from './credit.ts';
import { parseEvidence } from './evidence.ts';
import { PROOF_TYPES } from './judge.ts';
import { type ExecutionDependencies, recordExecution } from './record-execution.ts';
import { type ObservedDependencies, recordObserved } from './record-observed.ts';

const isProofType = (type: string): type is (typeof PROOF_TYPES)[number] =>
  (PROOF_TYPES as readonly string[]).includes(type);

const proofs = [executionProofSchema, availabilityProofSchema, slaProofSchema] as const;

/** Fields that are missing or too many: a proof is of given evidence, or of what observers of a provider signed. */
const misplacedFields = (
  body: { readonly evidence?: unknown; readonly provider_id?: unknown; readonly from?: unknown },
  isCollected: boolean,
): FieldError[] => {
  if (isCollected)
    return body.provider_id === undefined
      ? [{ field: 'provider_id', rule: 'required where evidence is left out' }]
      : [];
  if (body.evidence === undefined)
    return [{ field: 'evidence', rule: 'required, but for proof_of_availability with provider_id' }];
  return (['provider_id', 'from'] as const)
    .filter((field) => body[field] !== undefined)
    .map((field) => ({ field, rule: 'only where evidence is left out' }));
};

/**
 * Enters a proof into the log. Its evidence is what others signed: the record of an enclave with the report that binds
 * its key, or what observers saw of a node; the latter the engine collects itself, as far as its own nodes observe.
 */
export const generateProof = ({
  observed,
  ...deps
}: ExecutionDependencies & ObservedDependencies & Pick<RouteDependencies, 'observed'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/proofs/generate',
      summary: 'Make a proof of signed evidence',
      tag: 'proofs',
      access: ['provider', 'engine', 'operator'],
      body: z.strictObject({
        proof_type: nameOf(100).describe(`one of ${PROOF_TYPES.join(', ')}`),
        enclave_id: idOf('enclave').optional().describe('of a proof of execution'),
        task_id: idOf('job').optional(),
        input_hash: sha256.optional().describe('of a proof of execution'),
        // Read by the schema of its type once the type is known.
        evidence: z
          .union([...proofs, z.record(nameOf(64), foreignJson)])
          .optional()
          .describe('left out of a proof of availability, it is what the observers of provider_id signed'),
        provider_id: idOf('provider')
          .optional()
          .describe('whose observers are meant, where evidence is left out'),
        from: instant
          .optional()
          .describe(
            'begin of the window that they observed; the newest that is over and whole when left out',
          ),
      }),
      responses: {
        201: z.object({
          proof_id: z.string(),
          proof_type: z.enum(PROOF_TYPES),
          proof_data: z.object({
            merkle_root: sha256.nullable().describe('over samples or rounds'),
            signature: z.string().nullable().describe('of the enclave'),
            witness: z.union(proofs),
          }),
          judgement: z
            .union([availabilityRecordSchema.shape.judgement, slaRecordSchema.shape.judgement])
            .nullable()
            .describe('what availability or SLA compliance amounts to'),
          credit: creditSchema.nullable().describe('what the SLA gives back; null where it gives nothing'),
          label: z.enum(['hardware', 'simulated']).nullable(),
          logged: z.literal(true),
          anchored: z.literal(false),
          position,
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'UNSUPPORTED_PROOF_TYPE', 'PROOF_VERIFICATION_FAILED', 'CONFLICT'],
    },
    async (caller, { body }) => {
      const { proof_type: type, task_id: jobId, enclave_id: enclaveId, input_hash: inputHash } = body;
      if (!isProofType(type)) {
        return reject('UNSUPPORTED_PROOF_TYPE', 'no such proof type', [
          { field: 'proof_type', rule: `one of ${PROOF_TYPES.join(', ')}` },
        ]);
      }
      const isCollected = body.evidence === undefined && type === 'proof_of_availability';
      const misplaced = misplacedFields(body, isCollected);
      if (misplaced.length > 0) return reject('INVALID_REQUEST', 'the fields do not go together', misplaced);
      const logged = { logged: true, anchored: false } as const;
      if (type === 'proof_of_execution') {
        const evidence = parseEvidence(executionProofSchema, body.evidence);
        if (!evidence.ok) return evidence;
        const proof = evidence.value;
        const recorded = await recordExecution(deps, caller, proof, {
          ...(enclaveId === undefined ? {} : { enclaveId }),
          ...(jobId === undefined ? {} : { jobId }),
          ...(inputHash === undefined ? {} : { inputHash }),
        });
        if (!recorded.ok) return recorded;
        return respond(201, {
          proof_id: proof.proofId,
          proof_type: type,
          proof_data: { merkle_root: null, signature: proof.signature, witness: proof },
          judgement: null,
          credit: null,
          label: recorded.value.label,
          ...logged,
          position: String(recorded.value.position),
        });
      }
      const foreign = Object.entries({ enclave_id: enclaveId, input_hash: inputHash }).filter(
        ([, value]) => value !== undefined,
      );
      if (foreign.length > 0) {
        return reject(
          'INVALID_REQUEST',
          'no enclave makes this type of proof',
          foreign.map(([field]) => ({ field, rule: 'only with proof_of_execution' })),
        );
      }
      const schema = type === 'proof_of_availability' ? availabilityProofSchema : slaProofSchema;
      const evidence =
        isCollected && body.provider_id !== undefined
          ? await observed.proofOf(body.provider_id, body.from)
          : parseEvidence(schema, body.evidence);
      if (!evidence.ok) return evidence;
      const proof = evidence.value;
      const recorded = await recordObserved(deps, caller, proof, jobId);
      if (!recorded.ok) return recorded;
      return respond(201, {
        proof_id: proof.proofId,
        proof_type: type,
        proof_data: { merkle_root: proof.record.merkleRoot, signature: null, witness: proof },
        judgement: proof.record.judgement,
        credit: recorded.value.credit && creditView(recorded.value.credit),
        label: null,
        ...logged,
        position: String(recorded.value.position),
      });
    },
  );
