import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { callerOf, changedSchema, shownChange, subjectParams } from './subject.ts';

export const revokeSubjectKey = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'DELETE',
      path: '/v1/subjects/{subject_id}/keys/{key_id}',
      summary: 'Revoke a key of a principal; tokens end with its last key',
      tag: 'subjects',
      access: ['admin'],
      params: subjectParams.extend({
        key_id: z.string().regex(/^(aiv_[0-9a-f]{24}|[0-9a-f]{64})$/, 'a key_id of the principal'),
      }),
      responses: { 200: changedSchema },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async (context, { params }) => {
      const revoked = await subjects.revokeKey(params.subject_id, params.key_id, callerOf(context));
      return revoked.ok ? respond(200, shownChange(revoked.value)) : revoked;
    },
  );
