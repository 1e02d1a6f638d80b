import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, pageQuery } from '../../fields.ts';
import { shownSubject, subjectSchema } from './subject.ts';

/** Who may do what: what a review of access rights goes through. */
export const listSubjects = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/subjects',
      summary: 'All principals with their roles and keys',
      tag: 'subjects',
      access: ['admin', 'auditor'],
      query: z.strictObject({ ...pageQuery, cursor: idOf('subject').optional() }),
      responses: { 200: z.object({ items: z.array(subjectSchema), next_cursor: z.string().nullable() }) },
      errors: [],
    },
    async (_context, { query: { limit, cursor } }) => {
      const found = await subjects.list({ limit: limit + 1, cursor });
      const page = found.slice(0, limit);
      return respond(200, {
        items: page.map(shownSubject),
        next_cursor: found.length > limit ? (page.at(-1)?.subjectId ?? null) : null,
      });
    },
  );
