import { defineRoute, respond } from '../../define-route.ts';
import type { Metrics } from '../../metrics.ts';

export const getPrometheus = ({ metrics }: { metrics: Metrics }) =>
  defineRoute(
    {
      method: 'GET',
      path: '/metrics',
      summary: 'Metrics in the Prometheus text format',
      tag: 'system',
      access: ['operator', 'engine'],
      responses: { 200: { mediaType: metrics.mediaType, description: 'Prometheus text' } },
      errors: [],
      unlimited: true,
    },
    async () => respond(200, await metrics.text()),
  );
