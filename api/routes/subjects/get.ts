import { reject } from '../../../domain/errors.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { maySee } from '../../roles.ts';
import { shownSubject, subjectParams, subjectSchema } from './subject.ts';

export const getSubject = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/subjects/{subject_id}',
      summary: 'A principal: its roles and keys',
      tag: 'subjects',
      access: 'any',
      params: subjectParams,
      responses: { 200: subjectSchema },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { params }) => {
      const id = params.subject_id;
      const subject = maySee(principal, [id], ['admin', 'auditor']) ? await subjects.find(id) : null;
      return subject ? respond(200, shownSubject(subject)) : reject('RESOURCE_NOT_FOUND', `no subject ${id}`);
    },
  );
