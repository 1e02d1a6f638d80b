import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { Health } from '../../health.ts';

const readinessSchema = z.object({ status: z.enum(['ok', 'down']), failing: z.array(z.string()) });

/** Readiness: may this process take traffic (R137)? */
export const getReady = ({ health }: { health: Health }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/system/health/ready',
      summary: 'The process may take traffic',
      tag: 'system',
      access: 'open',
      responses: { 200: readinessSchema, 503: readinessSchema },
      errors: [],
      unlimited: true,
    },
    async () => {
      const failing = await health.failing();
      if (failing.length > 0) return respond(503, { status: 'down', failing: [...failing] });
      return respond(200, { status: 'ok', failing: [] });
    },
  );
