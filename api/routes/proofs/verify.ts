import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { domainEventOf, type RecordedEvent } from '../../../domain/event.ts';
import type { ProofEvent } from '../../../domain/proof/events.ts';
import { availabilityRecordSchema, slaRecordSchema } from '../../../domain/proof/observed/schema.ts';
import { foreignJson, nameOf } from '../../../domain/schema.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, sha256 } from '../../fields.ts';
import { maySee } from '../../roles.ts';
import { inclusionSchema } from '../log/inclusion.ts';
import { creditSchema, creditView } from './credit.ts';
import { isRecordOf, type JudgeDependencies, judgeProof, recordedProof } from './judge.ts';
import { loggedIn } from './logged.ts';

const stepSchema = z.object({ step: z.string(), ok: z.boolean(), code: z.string() });

/** Verifies anew every time, by value or by id: a verdict is never remembered (R18). */
export const verifyProof = ({
  anchored,
  ownersOf,
  slaCredits,
  store,
  ...deps
}: JudgeDependencies & Pick<RouteDependencies, 'anchored' | 'ownersOf' | 'slaCredits' | 'store'>) => {
  const creditSeenBy = async (principal: Principal, recorded: RecordedEvent) => {
    const event = domainEventOf<ProofEvent>(recorded);
    if (event.type !== 'proof.sla-compliance-recorded') return null;
    const { jobId, providerId } = event.record.terms;
    const isConcerned = maySee(principal, (await ownersOf(recorded.stream)) ?? []);
    return jobId !== null && isConcerned ? creditView(await slaCredits.standing(jobId, providerId)) : null;
  };
  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/proofs/verify',
      summary: 'Verify a proof; the verdict of every step is shown',
      tag: 'proofs',
      access: 'any',
      body: z
        .strictObject({
          proof: z.record(nameOf(64), foreignJson).optional(),
          proof_id: idOf('proof').optional(),
          expected_input_hash: sha256.optional(),
          allow_simulated: z.boolean().default(true),
        })
        .refine((body) => (body.proof === undefined) !== (body.proof_id === undefined), {
          path: ['proof'],
          message: 'either proof or proof_id',
        }),
      responses: {
        200: z.object({
          valid: z.boolean(),
          reason: z.string().optional().describe('the first step that failed, and why'),
          proof_id: z.string().nullable(),
          label: z
            .enum(['hardware', 'simulated'])
            .nullable()
            .describe('who vouches for the enclave; null for types that no enclave makes'),
          judgement: z
            .union([availabilityRecordSchema.shape.judgement, slaRecordSchema.shape.judgement])
            .nullable()
            .describe('what availability or SLA compliance amounts to, computed anew'),
          credit: creditSchema
            .nullable()
            .describe('what a logged proof of SLA compliance gives back; for those it concerns'),
          details: z.object({
            signature_valid: z.boolean(),
            merkle_path_valid: z
              .boolean()
              .nullable()
              .describe('of its event in the signed log; null before a checkpoint covers it'),
            input_hash_matches: z.boolean().nullable(),
            logged: z.boolean(),
            anchored: z.boolean(),
          }),
          inclusion: inclusionSchema.nullable().describe('of its event in the newest signed head of the log'),
          steps: z.array(stepSchema),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'RESOURCE_UNAVAILABLE'],
    },
    async ({ principal }, { body }) => {
      const claimed = body.proof_id ?? body.proof?.['proofId'];
      const proofId = typeof claimed === 'string' && claimed.startsWith('proof-') ? claimed : null;
      const [recorded] = proofId === null ? [] : await store.readStream(proofId);
      if (body.proof === undefined && recorded === undefined) {
        return reject('RESOURCE_NOT_FOUND', `no proof ${proofId}`, [
          { field: 'proof_id', rule: 'a logged proof' },
        ]);
      }
      const proof = body.proof ?? (recorded && (await recordedProof(deps.artifacts, recorded)));
      const judged = await judgeProof(deps, principal.id, proof, {
        allowSimulated: body.allow_simulated,
        ...(body.expected_input_hash === undefined ? {} : { inputHash: body.expected_input_hash }),
      });
      if (!judged.ok) return judged;
      const verdict = judged.value;
      const isLogged =
        recorded !== undefined &&
        (body.proof === undefined || isRecordOf(recorded, proof, verdict.wellFormed));
      const { inclusion, pathValid } =
        recorded && isLogged
          ? await loggedIn(await deps.transparency.newest(), deps.transparency, recorded)
          : { inclusion: null, pathValid: null };
      const inputStep = verdict.steps.find(({ step }) => step === 'expected.inputHash');
      const broken = verdict.steps.find(({ ok }) => !ok);
      return respond(200, {
        valid: verdict.valid,
        ...(broken ? { reason: `${broken.step}: ${broken.code}` } : {}),
        proof_id: proofId,
        label: verdict.label,
        judgement: verdict.judgement,
        credit: isLogged && recorded ? await creditSeenBy(principal, recorded) : null,
        details: {
          signature_valid: verdict.signatureValid,
          merkle_path_valid: pathValid,
          input_hash_matches: body.expected_input_hash === undefined ? null : inputStep?.ok === true,
          logged: isLogged,
          anchored: isLogged && recorded ? (await anchored.covering(recorded.position)) !== null : false,
        },
        inclusion,
        steps: verdict.steps,
      });
    },
  );
};
