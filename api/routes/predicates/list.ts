import { z } from 'zod';
import { listPredicates } from '../../../projections/predicates/queries.ts';
import type { PredicateRow } from '../../../projections/predicates/table.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { instant, pageQuery, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { circuitId, inputNames, progressOf, setupSchema, stateSchema } from './fields.ts';

const circuitSchema = z
  .object({
    circuit_id: z.string(),
    predicate_id: z.string(),
    type: z.literal('groth16-bn254'),
    shape: z.unknown().describe('the canonical form without its literals'),
    state: stateSchema,
    progress: z.number(),
    failure: z.string().nullable(),
    constraints: z.int(),
    public_inputs: z.array(z.string()),
    verification_key: z.record(z.string(), z.unknown()).nullable(),
    key_hash: z.string().nullable(),
    setup: setupSchema.nullable(),
    transcript: z.record(z.string(), z.unknown()).nullable(),
    requested_at: instant,
    ready_at: instant.nullable(),
    position,
  })
  .meta({ id: 'PredicateCircuit' });

const shown = (row: PredicateRow): z.input<typeof circuitSchema> => ({
  circuit_id: row.circuitId,
  predicate_id: row.stream,
  type: 'groth16-bn254',
  shape: row.shape,
  state: row.state,
  progress: progressOf(row.state),
  failure: row.failure,
  constraints: row.constraints,
  public_inputs: [...inputNames(row.publicInputs)],
  verification_key: row.verificationKey && { ...row.verificationKey },
  key_hash: row.keyHash,
  setup: row.transcript?.setup ?? null,
  transcript: row.transcript && { ...row.transcript },
  requested_at: row.requestedAt,
  ready_at: row.readyAt,
  position: row.position,
});

/** Every circuit with its key and how the key was made. */
export const getPredicates = ({ db, checkpoints }: Pick<RouteDependencies, 'db' | 'checkpoints'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/zk/predicates',
      summary: 'Circuits and their keys',
      tag: 'zk',
      access: 'any',
      query: z.strictObject({ circuit_id: circuitId.optional(), ...pageQuery, ...afterQuery }),
      responses: {
        200: z.object({ predicates: z.array(circuitSchema), next_cursor: z.string().nullable() }),
      },
      errors: [],
    },
    async (_context, { query }) => {
      const ready = await readAfter(checkpoints, ['predicates'], query.after);
      if (!ready.ok) return ready;
      const rows = await listPredicates(db, {
        circuitId: query.circuit_id ?? null,
        after: query.cursor ?? null,
        limit: query.limit + 1,
      });
      const page = rows.slice(0, query.limit);
      return respond(200, {
        predicates: page.map(shown),
        next_cursor: rows.length > page.length ? (page.at(-1)?.circuitId ?? null) : null,
      });
    },
  );
