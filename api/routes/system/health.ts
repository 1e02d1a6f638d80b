import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import { HEALTH_STATES, type Health, type HealthReport } from '../../health.ts';
import { hasRole } from '../../roles.ts';

const reportSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    components: z.record(
      z.string(),
      z.object({
        status: z.enum(HEALTH_STATES),
        since: z.string(),
        lag: z.int().optional(),
        have: z.int().optional().describe('processes that are alive'),
        expected: z.int().optional().describe('processes that should be'),
        missing: z.array(z.string()).readonly().optional().describe('names of those that are not'),
        cause: z.string().optional().describe('for operators only'),
      }),
    ),
  })
  .meta({ id: 'Health' });

const withoutCauses = (components: HealthReport['components']): HealthReport['components'] =>
  Object.fromEntries(
    Object.entries(components).map(([name, { cause: _, ...component }]) => [name, component]),
  );

/** The detail view; load balancers ask `live` and `ready`. */
export const getHealth = ({ health }: { health: Health }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/system/health',
      summary: 'Every component and store, by name',
      tag: 'system',
      access: 'open',
      responses: { 200: reportSchema, 503: reportSchema },
      errors: [],
      unlimited: true,
    },
    async ({ principal }) => {
      const { status, components } = await health.report();
      const shown = hasRole(principal, 'operator') ? components : withoutCauses(components);
      return respond(status === 'down' ? 503 : 200, { status, components: shown });
    },
  );
