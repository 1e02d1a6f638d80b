import { z } from 'zod';
import { listOf, name, schemaOf, signedMicro, version } from '../schema.ts';
import type { LedgerEvent } from './events.ts';

/** The stored events of the ledger. */
export const ledgerEventSchema = schemaOf<LedgerEvent>()(
  z.strictObject({
    type: z.literal('ledger.entry-posted'),
    machineVersion: version,
    entryId: name,
    kind: z.enum([
      'credit',
      'fee',
      'hold',
      'release',
      'payment',
      'slash',
      'compensation',
      'sla-credit',
      'stake',
      'genesis',
    ]),
    cause: name,
    postings: listOf(z.strictObject({ account: name, amount: signedMicro })),
  }),
);
