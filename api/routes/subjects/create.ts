import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { callerOf, grantedRoles, keyedSchema, shownKey } from './subject.ts';

/** Enrols a principal. The answer holds a secret, so it is not kept for a repetition of the request. */
export const createSubject = ({ subjects }: Pick<RouteDependencies, 'subjects'>) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/subjects',
      summary: 'Enrol a principal with its roles, by a fresh API key or by its public key',
      tag: 'subjects',
      access: ['admin'],
      body: z.strictObject({
        roles: grantedRoles,
        public_key: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'an Ed25519 key in lower-case hex')
          .optional(),
      }),
      responses: { 201: keyedSchema },
      errors: ['CONFLICT'],
      notIdempotent: true,
    },
    async (context, { body }) => {
      const made = await subjects.create(body.roles, body.public_key ?? null, callerOf(context));
      return made.ok ? respond(201, shownKey(made.value)) : made;
    },
  );
