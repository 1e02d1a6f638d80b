import { z } from 'zod';
import { type Rejection, reject } from '../../../domain/errors.ts';
import { circuitStream } from '../../../domain/predicate/acceptance.ts';
import type { RequestPredicate } from '../../../domain/predicate/commands.ts';
import { readPredicate } from '../../../domain/predicate/predicate.ts';
import { predicateText } from '../../../domain/predicate/schema.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { position } from '../../fields.ts';
import { inputNames, progressOf, schemaField, setupSchema, stateSchema } from './fields.ts';
import { createOpenCircuit } from './under-way.ts';

/**
 * Reads a predicate and sees to it that its circuit gets a key. The predicate is judged here, against every cap; compiler
 * and set-up run in the background, once for all predicates of its shape.
 */
export const submitPredicate = ({
  checkpoints,
  db,
  lifecycles,
  publishedKeys: keys,
}: Pick<RouteDependencies, 'checkpoints' | 'db' | 'lifecycles' | 'publishedKeys'>) => {
  const openCircuit = createOpenCircuit({ db, checkpoints });
  return defineRoute(
    {
      method: 'POST',
      path: '/v1/fog/zk/predicate',
      summary: 'Submit a predicate; its circuit is compiled and given a key in the background',
      tag: 'zk',
      access: 'any',
      body: z.strictObject({
        predicate: predicateText.describe('age >= 18 and country in ["DE","FR"] and trust >= 0.8'),
        schema: schemaField,
      }),
      responses: {
        202: z.object({
          predicate_id: z.string(),
          circuit_id: z.string().describe('shared by predicates that differ in their literals alone'),
          state: stateSchema,
          progress: z.number().min(0).max(1),
          failure: z.string().nullable(),
          public_inputs: z.array(z.string()).describe('names, in their order'),
          literals: z.array(z.string()).describe('the last public inputs, as this predicate wants them'),
          constraints: z.int().describe('estimated'),
          key_hash: z.string().nullable(),
          setup: setupSchema.nullable(),
          verifier: z.string().describe('the verifier in contexts of your proofs: you'),
          position,
        }),
      },
      errors: ['CONFLICT', 'RESOURCE_UNAVAILABLE'],
    },
    async ({ principal, meta }, { body }) => {
      const read = readPredicate(body.predicate, body.schema);
      if (!read.ok) return read;
      const { circuitId, shape, literals, cost } = read.value;
      const stream = circuitStream(circuitId);

      const request = async (): Promise<Rejection | null> => {
        const command: RequestPredicate = { type: 'request', circuitId, shape, ...cost };
        const refused = await openCircuit(principal.id, () =>
          lifecycles.open('predicate', stream, command, meta(stream)),
        );
        // Somebody else has asked for it in the same moment.
        return refused?.code === 'CONFLICT' ? null : refused;
      };

      let found = await keys.find(circuitId);
      if (!found || found.state === 'failed') {
        const refused = await request();
        if (refused) return refused;
        found = await keys.find(circuitId);
      }
      if (!found) return reject('RESOURCE_UNAVAILABLE', `${stream} is still being opened`);
      const { circuit, state } = found;
      return respond(202, {
        predicate_id: stream,
        circuit_id: circuitId,
        state: stateSchema.parse(state),
        progress: progressOf(state),
        failure: circuit.failure?.message ?? null,
        public_inputs: inputNames(cost.publicInputs),
        literals: literals.map(String),
        constraints: cost.constraints,
        key_hash: circuit.key?.transcript.keyHash ?? null,
        setup: circuit.key?.transcript.setup ?? null,
        verifier: principal.id,
        position: String(found.position),
      });
    },
  );
};
