import { z } from 'zod';
import { ROLES } from '../../../domain/subject/events.ts';
import type { CommandCaller } from '../../../infra/journal/handle-command.ts';
import type { Changed, Keyed, SubjectView } from '../../../infra/keys/subjects.ts';
import type { RequestContext } from '../../define-route.ts';
import { idOf, instant, position } from '../../fields.ts';

/** What an admin may grant. */
export const grantedRoles = z
  .array(z.enum(ROLES).exclude(['engine']))
  .min(1)
  .max(ROLES.length);

export const subjectParams = z.strictObject({ subject_id: idOf('subject') });

const roles = z.array(z.enum(ROLES));

export const subjectSchema = z.object({
  subject_id: z.string(),
  roles,
  keys: z.array(
    z.object({
      key_id: z.string().describe('the public part of an API key, or the public key itself'),
      kind: z.enum(['api-key', 'public-key']),
      created_at: instant,
      revoked_at: instant.nullable(),
    }),
  ),
});

export const shownSubject = ({ subjectId, roles, keys }: SubjectView) => ({
  subject_id: subjectId,
  roles: [...roles],
  keys: keys.map(({ keyId, kind, createdAt, revokedAt }) => ({
    key_id: keyId,
    kind,
    created_at: createdAt,
    revoked_at: revokedAt,
  })),
});

export const changedSchema = z.object({ subject_id: z.string(), roles, position });

export const shownChange = ({ subjectId, roles, position }: Changed) => ({
  subject_id: subjectId,
  roles: [...roles],
  position: position ?? '0',
});

export const keyedSchema = changedSchema.extend({
  key_id: z.string(),
  api_key: z.string().nullable().describe('shown once; null where a public key was enrolled'),
});

export const shownKey = (keyed: Keyed) => ({
  ...shownChange(keyed),
  key_id: keyed.keyId,
  api_key: keyed.apiKey,
});

export const callerOf = ({ principal, commandId, traceparent }: RequestContext): CommandCaller => ({
  actor: principal.id,
  commandId,
  traceparent,
});
