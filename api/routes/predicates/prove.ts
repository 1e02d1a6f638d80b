import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import {
  credentialSchema,
  proofSchema,
  publicInputsSchema,
  secretSchema,
} from '../../../domain/predicate/schema.ts';
import type { DevProver } from '../../../infra/zk/dev-prover.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { circuitId, contextOf, contextSchema } from './fields.ts';

/**
 * Proves for the caller, who shows credential and secret for it: for development only, and served only where the
 * operator has switched it on. Everywhere else holders prove at home.
 */
export const provePredicate = (
  { publishedKeys: keys }: Pick<RouteDependencies, 'publishedKeys'>,
  prover: DevProver,
) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/zk/prove',
      summary: 'Development only: prove with a secret that the server gets to see',
      tag: 'zk',
      access: 'any',
      body: z.strictObject({
        circuit_id: circuitId,
        context: contextSchema,
        credential: credentialSchema,
        secret: secretSchema,
      }),
      responses: { 200: z.object({ proof: proofSchema, public_inputs: publicInputsSchema }) },
      errors: ['RESOURCE_NOT_FOUND'],
      notIdempotent: true,
    },
    async ({ principal }, { body }) => {
      const key = (await keys.find(body.circuit_id))?.circuit.key;
      if (!key) {
        return reject('RESOURCE_NOT_FOUND', 'no such circuit, or no key yet', [
          { field: 'circuit_id', rule: 'a circuit with a key' },
        ]);
      }
      const { transcript } = key;
      const proved = await prover.prove(transcript, {
        predicate: body.context.predicate,
        context: contextOf(body.context, principal.id, body.circuit_id, transcript.keyHash),
        credential: body.credential,
        secret: body.secret,
      });
      if (!proved.ok) return proved;
      const { proof, publicInputs } = proved.value;
      return respond(200, { proof: { ...proof }, public_inputs: [...publicInputs] });
    },
  );
