import { z } from 'zod';
import { textOf } from '../../../domain/schema.ts';

/** Longer than anything that verifies. */
const some = textOf(256);
const hex = (bytes: number) => some.describe(`${bytes} bytes in lower-case hex`);

const committedSchema = z.object({
  index: z.int().nonnegative(),
  weight: z.int().nonnegative().describe('trust when the candidates were frozen, in thousandths'),
  address_prefix: some,
  operator: some,
  path: z.array(hex(32)).max(64).describe('inclusion path, from the leaf up'),
});

/**
 * A draw with all that it takes to verify it. Bytes are not checked for form here: what is wrong with them is for the
 * verdict to say.
 */
export const selectionSchema = z
  .object({
    node_id: some,
    public_key: hex(32),
    network: some,
    suite: some,
    epoch: z.int().nonnegative(),
    beacon: hex(32),
    candidate_root: hex(32),
    candidate_count: z.int().nonnegative(),
    self: committedSchema,
    takes_all: z.boolean().describe('every other node is a neighbour, there being no more than 8'),
    neighbors: z.array(committedSchema.extend({ node_id: some, public_key: hex(32) })).max(64),
    vrf_output: hex(64),
    vrf_proof: hex(80),
  })
  .meta({ id: 'NeighbourSelection' });
