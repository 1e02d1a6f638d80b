import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { ApiEnv } from './environment.ts';
import type { Metrics } from './metrics.ts';

/** Label of everything that matched no route. */
export const UNMATCHED = 'unmatched';

/**
 * Counts and logs every request (R126-R128) by route template: who asked, from which network, and why it was refused.
 * Query, headers and bodies are never logged, so no secret is; a sign-in is a request to `/v1/auth/token`, of the principal
 * that it was granted to.
 */
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
        principal: c.get('principal')?.id ?? null,
        network: c.get('network'),
        ...(c.get('refusal') && { code: c.get('refusal') }),
        duration_ms: Math.round(ms * 100) / 100,
        request_id: c.get('requestId'),
        trace_id: c.get('trace').traceId,
      },
      'api_request',
    );
  };
};
