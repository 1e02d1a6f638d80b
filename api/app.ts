import { Hono } from 'hono';
import type { Logger } from 'pino';
import { createByteBudget } from '../infra/p2p/byte-budget.ts';
import type { Proxies } from '../infra/rate-limits/proxies.ts';
import { MAX_BODIES_BYTES } from './body.ts';
import { locate } from './client-address.ts';
import type { Route } from './define-route.ts';
import { mountDocs } from './docs.ts';
import type { Api, ApiEnv } from './environment.ts';
import { crossOrigin, identify } from './headers.ts';
import type { Metrics } from './metrics.ts';
import { observe } from './observe.ts';
import { type PipelineDependencies, serve } from './pipeline.ts';
import type { Hub } from './realtime/hub.ts';
import { mountRealtime } from './realtime/mount.ts';
import { routerPath } from './router-path.ts';
import { sendProblem } from './send.ts';
import { isUnavailable } from './unavailable.ts';

export interface AppDependencies extends Omit<PipelineDependencies, 'bodies'> {
  readonly routes: readonly Route[];
  readonly hub: Hub;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Web origins that may call from a browser. */
  readonly origins: readonly string[];
  /** Whose word on a caller's address counts. */
  readonly proxies: Proxies;
}

/** The HTTP application: every route of `routes` behind the same pipeline. Listens to nothing by itself. */
export const createApp = ({
  routes,
  hub,
  metrics,
  logger,
  origins,
  proxies,
  ...rest
}: AppDependencies): Api => {
  const pipeline: PipelineDependencies = { ...rest, bodies: createByteBudget(MAX_BODIES_BYTES) };
  const api: Api = new Hono<ApiEnv>();
  api.use(identify(), locate(proxies), observe({ metrics, logger }), crossOrigin(origins));
  for (const route of routes) {
    api.on(route.method, routerPath(route.path), serve(route, pipeline));
  }
  mountRealtime(api, { hub, logger, ...pipeline });
  mountDocs(api);
  api.notFound((c) =>
    sendProblem(c, { code: 'RESOURCE_NOT_FOUND', message: `no route ${c.req.method} ${c.req.path}` }),
  );
  api.onError((error, c) => {
    if (isUnavailable(error)) {
      logger.warn({ err: error, request_id: c.get('requestId') }, 'a dependency is unavailable');
      return sendProblem(c, {
        code: 'RESOURCE_UNAVAILABLE',
        message: 'a dependency is unavailable; try again',
      });
    }
    logger.error({ err: error, request_id: c.get('requestId') }, 'request failed');
    return sendProblem(c, {
      code: 'INTERNAL_ERROR',
      message: 'our defect; the trace id names it in our logs',
    });
  });
  return api;
};
