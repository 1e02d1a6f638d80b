import type { MiddlewareHandler } from 'hono';
import { networkOf } from '../infra/rate-limits/network.ts';
import type { Proxies } from '../infra/rate-limits/proxies.ts';
import type { ApiContext, ApiEnv } from './environment.ts';

/** The peer's address, or whom a trusted proxy names: never a header that anybody can write. */
const addressOf = (c: ApiContext, proxies: Proxies): string =>
  proxies.addressOf(c.env?.incoming?.socket.remoteAddress ?? 'in-process', c.req.header('x-forwarded-for'));

/** Notes the network that the caller is counted with. */
export const locate =
  (proxies: Proxies): MiddlewareHandler<ApiEnv> =>
  (c, next) => {
    c.set('network', networkOf(addressOf(c, proxies)));
    return next();
  };
