import { z } from 'zod';
import { id, instant, listOf, name, schemaOf, version } from '../schema.ts';
import { ROLES, type SubjectEvent } from './events.ts';

const roles = listOf(z.enum(ROLES));
const credential = z.enum(['api-key', 'public-key']);

/** The stored events of a principal. */
export const subjectEventSchema = schemaOf<SubjectEvent>()(
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('subject.enrolled'),
      machineVersion: version,
      subjectId: id,
      roles,
      credential,
      fingerprint: name,
      enrolledAt: instant,
    }),
    z.strictObject({ type: z.literal('subject.roles-changed'), roles, changedAt: instant }),
    z.strictObject({
      type: z.literal('subject.key-added'),
      credential,
      fingerprint: name,
      addedAt: instant,
    }),
    z.strictObject({ type: z.literal('subject.key-revoked'), fingerprint: name, revokedAt: instant }),
  ]),
);
