import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { callerOf, keyedSchema, shownKey, subjectParams } from './subject.ts';

/** One more API key, so that a key can be replaced without a gap. A secret, and not kept for a repetition. */
export const addSubjectKey = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/subjects/{subject_id}/keys',
      summary: 'Give a principal one more API key',
      tag: 'subjects',
      access: ['admin'],
      params: subjectParams,
      responses: { 201: keyedSchema },
      errors: ['RESOURCE_NOT_FOUND'],
      notIdempotent: true,
    },
    async (context, { params }) => {
      const added = await subjects.addKey(params.subject_id, callerOf(context));
      return added.ok ? respond(201, shownKey(added.value)) : added;
    },
  );
