import { auctionEventSchema } from './auction/schema.ts';
import { chipEventSchema } from './chip/schema.ts';
import { enclaveEventSchema } from './enclave/schema.ts';
import { jobEventSchema } from './job/schema.ts';
import { ledgerEventSchema } from './ledger/schema.ts';
import { observationEventSchema } from './observation/schema.ts';
import { predicateEventSchema } from './predicate/schema.ts';
import { proofEventSchema } from './proof/schema.ts';
import { providerEventSchema } from './provider/schema.ts';
import { quorumEventSchema } from './quorum/schema.ts';
import { slaEventSchema } from './sla/schema.ts';
import { subjectEventSchema } from './subject/schema.ts';
import { topologyEventSchema } from './topology/schema.ts';

/** Schemas of stored events by aggregate. */
export const eventSchemas = {
  auction: auctionEventSchema,
  chip: chipEventSchema,
  enclave: enclaveEventSchema,
  job: jobEventSchema,
  ledger: ledgerEventSchema,
  observation: observationEventSchema,
  predicate: predicateEventSchema,
  proof: proofEventSchema,
  provider: providerEventSchema,
  quorum: quorumEventSchema,
  sla: slaEventSchema,
  subject: subjectEventSchema,
  topology: topologyEventSchema,
} as const;

type EventSchema = (typeof eventSchemas)[keyof typeof eventSchemas];

/** Schema of the aggregate that `type` belongs to; null for an aggregate this build does not know. */
export const eventSchemaOf = (type: string): EventSchema | null => {
  const aggregate = type.slice(0, type.indexOf('.'));
  return Object.hasOwn(eventSchemas, aggregate) ? eventSchemas[aggregate as keyof typeof eventSchemas] : null;
};
