import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import type { ErrorCode } from '../domain/errors.ts';
import type { Principal } from '../infra/keys/credentials.ts';
import type { Trace } from './trace.ts';

/** What the middlewares of a request share. */
export interface ApiEnv {
  /** Absent when the app is called in process, as tests do. */
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** What the caller is counted with: its IPv4 /24 or IPv6 /64. */
    network: string;
    trace: Trace;
    /** Template of the matched route: the only path that metrics and logs name. */
    endpoint: string;
    /** Who calls, once that is known: of a sign-in, whom it was granted to. */
    principal: Pick<Principal, 'id'>;
    /** Why the request was refused. */
    refusal: ErrorCode;
  };
}

export type Api = Hono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;
