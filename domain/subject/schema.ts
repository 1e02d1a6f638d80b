import { z } from 'zod';
import { id, instant, listOf, name, schemaOf, version } from '../schema.ts';
import { ROLES, type SubjectEvent } from './events.ts';

/** The stored events of a principal. */
export const subjectEventSchema = schemaOf<SubjectEvent>()(
  z.strictObject({
    type: z.literal('subject.enrolled'),
    machineVersion: version,
    subjectId: id,
    roles: listOf(z.enum(ROLES)),
    credential: z.enum(['api-key', 'public-key']),
    fingerprint: name,
    enrolledAt: instant,
  }),
);
