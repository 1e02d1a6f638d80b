import { z } from 'zod';
import { id, instant, micro, name, schemaOf, version } from '../schema.ts';
import type { SlaEvent } from './events.ts';

/** The stored events of credits. */
export const slaEventSchema = schemaOf<SlaEvent>()(
  z.strictObject({
    type: z.literal('sla.credit-granted'),
    machineVersion: version,
    jobId: id,
    providerId: id,
    owner: name,
    submitter: name,
    proofId: id,
    creditPercent: z.int().min(0).max(100),
    fee: micro,
    earned: micro,
    due: micro,
    paid: micro,
    outstanding: micro,
    grantedAt: instant,
  }),
);
