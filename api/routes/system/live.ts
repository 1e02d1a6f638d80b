import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';

/** Liveness: the process answers; nothing else is asked (R137). */
export const getLive = () =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/system/health/live',
      summary: 'The process runs',
      tag: 'system',
      access: 'open',
      responses: { 200: z.object({ status: z.literal('ok') }) },
      errors: [],
      unlimited: true,
    },
    async () => respond(200, { status: 'ok' }),
  );
