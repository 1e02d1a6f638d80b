import { z } from 'zod';
import { defineRoute, respond } from '../../define-route.ts';
import type { LagProbe, Metrics } from '../../metrics.ts';

export interface MetricsDependencies {
  readonly metrics: Metrics;
  readonly lag: LagProbe;
  /** Waiting work by queue name. */
  readonly queues: () => Promise<Readonly<Record<string, number>>>;
}

/** JSON here; Prometheus text at `/metrics` or by `Accept: text/plain` (R13). */
export const getMetrics = ({ metrics, lag, queues }: MetricsDependencies) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/system/metrics',
      summary: 'Performance figures of this process',
      tag: 'system',
      access: ['operator'],
      responses: {
        200: z.object({
          requests: z.int(),
          latency: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).describe('seconds'),
          lag: z.record(z.string(), z.int()),
          queues: z.record(z.string(), z.int()),
        }),
      },
      errors: [],
      unlimited: true,
    },
    async () => {
      const { requests, latency } = await metrics.summary();
      return respond(200, { requests, latency, lag: { ...(await lag()) }, queues: { ...(await queues()) } });
    },
  );
