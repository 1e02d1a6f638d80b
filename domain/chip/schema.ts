import { z } from 'zod';
import { hex, id, instant, platformLabel, schemaOf, version } from '../schema.ts';
import type { ChipEvent } from './events.ts';

/** The stored events of a chip. */
export const chipEventSchema = schemaOf<ChipEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('chip.bound'),
      machineVersion: version,
      chipId: hex(64),
      label: platformLabel,
      providerId: id,
      boundAt: instant,
    }),
    z.strictObject({ type: z.literal('chip.claim-refused'), providerId: id, refusedAt: instant }),
  ]),
);
