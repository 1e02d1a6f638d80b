import type { MiddlewareHandler } from 'hono';
import { newUlid } from '../infra/ids/new-id.ts';
import type { ApiContext, ApiEnv } from './environment.ts';
import { sendProblem } from './send.ts';
import { traceOf } from './trace.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

const ALLOWED_METHODS = 'GET, POST, PUT, DELETE';
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, Traceparent, X-API-Key, X-Artifact-Kind, X-Request-ID';
const EXPOSED_HEADERS = 'Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID';
const PREFLIGHT_SECONDS = '600';

/** What an API answer may do in a browser: nothing. The docs page sets a policy of its own. */
const CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Identifies the request (the caller's id if it is a sane one) and forbids sniffing, framing and caching. */
export const identify = (): MiddlewareHandler<ApiEnv> => (c, next) => {
  const given = c.req.header('x-request-id');
  const requestId = given && REQUEST_ID.test(given) ? given : newUlid();
  c.set('requestId', requestId);
  c.set('trace', traceOf(c.req.header('traceparent')));
  c.header('X-Request-ID', requestId);
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Content-Security-Policy', CONTENT_POLICY);
  c.header('Cache-Control', 'no-store');
  return next();
};

const preflight = (c: ApiContext, origin: string): Response => {
  c.header('Access-Control-Allow-Origin', origin);
  c.header('Access-Control-Allow-Methods', ALLOWED_METHODS);
  c.header('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  c.header('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  return c.body(null, 204);
};

/**
 * Cross-origin rules: only `origins` may read answers or send anything that needs a preflight. The API carries no
 * cookies, so an origin that is not listed gains nothing from the requests a browser sends unasked.
 */
export const crossOrigin = (origins: readonly string[]): MiddlewareHandler<ApiEnv> => {
  const allowed = new Set(origins);
  return async (c, next) => {
    c.header('Vary', 'Origin');
    const origin = c.req.header('origin');
    const known = origin !== undefined && allowed.has(origin);
    if (c.req.method === 'OPTIONS') {
      if (known) return preflight(c, origin);
      return sendProblem(c, { code: 'AUTHORIZATION_FAILED', message: 'this origin is not allowed' });
    }
    if (known) {
      c.header('Access-Control-Allow-Origin', origin);
      c.header('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    return next();
  };
};
