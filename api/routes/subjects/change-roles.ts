import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { callerOf, changedSchema, grantedRoles, shownChange, subjectParams } from './subject.ts';

export const changeSubjectRoles = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'PUT',
      path: '/v1/subjects/{subject_id}/roles',
      summary: 'Replace the roles of a principal',
      tag: 'subjects',
      access: ['admin'],
      params: subjectParams,
      body: z.strictObject({ roles: grantedRoles }),
      responses: { 200: changedSchema },
      errors: ['RESOURCE_NOT_FOUND', 'CONFLICT'],
    },
    async (context, { params, body }) => {
      const changed = await subjects.changeRoles(params.subject_id, body.roles, callerOf(context));
      return changed.ok ? respond(200, shownChange(changed.value)) : changed;
    },
  );
