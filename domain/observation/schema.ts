import { z } from 'zod';
import { count, hex, instant, name, schemaOf, version } from '../schema.ts';
import type { ObservationEvent } from './events.ts';

/** The stored events of windows of observation. */
export const observationEventSchema = schemaOf<ObservationEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('observation.opened'),
      machineVersion: version,
      network: name,
      from: instant,
      roundSeconds: z.int().positive(),
      rounds: z.int().positive(),
      providers: count,
      terms: hex(32),
      openedAt: instant,
    }),
    z.strictObject({ type: z.literal('observation.round-opened'), round: count, openedAt: instant }),
  ]),
);
