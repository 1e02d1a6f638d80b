import { z } from 'zod';
import { proofSchema, publicInputsSchema } from '../../../domain/predicate/schema.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { position } from '../../fields.ts';
import { circuitId, contextSchema, setupSchema } from './fields.ts';
import { judgeProof, reasonOf } from './judge.ts';

const stepSchema = z.object({ step: z.string(), ok: z.boolean(), code: z.string() });

export const claimedProof = z.strictObject({
  circuit_id: circuitId,
  proof: proofSchema.describe('in the JSON form of snarkjs'),
  public_inputs: publicInputsSchema,
  context: contextSchema,
});

/** Verifies a proof in this process and accepts it once: another time its nullifier, or its context, is used. */
export const verifyPredicateProof = ({
  now,
  acceptances,
  publishedKeys: keys,
}: Pick<RouteDependencies, 'acceptances' | 'now' | 'publishedKeys'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/zk/verify',
      summary: 'Verify a predicate proof; it is accepted once',
      tag: 'zk',
      access: 'any',
      body: claimedProof,
      responses: {
        200: z.object({
          verification_id: z.string().nullable().describe('stream of the acceptance'),
          result: z.boolean(),
          reason: z
            .string()
            .optional()
            .describe('nullifier_used, context_used, expired, input_mismatch, bad_proof, …'),
          nullifier: z.string().nullable(),
          setup: setupSchema,
          steps: z.array(stepSchema),
          verification_time_ms: z.number(),
          position: position.nullable(),
        }),
      },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async ({ principal, commandId, traceparent }, { body }) => {
      const start = performance.now();
      const judged = await judgeProof(keys, body, { verifier: principal.id, now: now(), field: '' });
      if (!judged.ok) return judged;
      const { verdict, context, setup } = judged;
      const answer = (reason: string | undefined) => ({
        verification_id: null,
        result: false,
        ...(reason !== undefined && { reason }),
        nullifier: verdict.nullifier,
        setup,
        steps: verdict.reasons,
        verification_time_ms: performance.now() - start,
        position: null,
      });
      const accepted =
        verdict.nullifier === null
          ? // A proof expires; that it was accepted in time, by this very command, stays true.
            await acceptances.earlier(context.scope, body.public_inputs[0] ?? '', commandId)
          : await acceptances.accept([{ context, nullifier: verdict.nullifier }], {
              commandId,
              actor: principal.id,
              traceparent,
            });
      if (!accepted) return respond(200, answer(reasonOf(verdict)));
      if (!accepted.ok) return respond(200, answer(accepted.reason));
      return respond(200, {
        ...answer(undefined),
        verification_id: accepted.ids[0] as string,
        result: true,
        nullifier: body.public_inputs[0] ?? null,
        position: String(accepted.position),
      });
    },
  );
