import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { ApiEnv } from './environment.ts';
import type { Metrics } from './metrics.ts';

/** Label of everything that matched no route. */
export const UNMATCHED = 'unmatched';

/** Counts and logs every request (R126-R128) by route template; query, headers and bodies are never logged. */
export const observe = ({
  metrics,
  logger,
}: {
  metrics: Metrics;
  logger: Logger;
}): MiddlewareHandler<ApiEnv> => {
  return async (c, next) => {
    const start = performance.now();
    c.set('endpoint', UNMATCHED);
    await next();
    const ms = performance.now() - start;
    const endpoint = c.get('endpoint');
    const { status } = c.res;
    metrics.observe({ endpoint, method: c.req.method, status, seconds: ms / 1000 });
    logger.info(
      {
        event: 'api_request',
        endpoint,
        method: c.req.method,
        status_code: status,
        duration_ms: Math.round(ms * 100) / 100,
        request_id: c.get('requestId'),
        trace_id: c.get('trace').traceId,
      },
      'api_request',
    );
  };
};
