import type { z } from 'zod';
import type { ErrorCode, Rejection } from '../domain/errors.ts';
import type { CommandMeta } from '../domain/ports/lifecycles.ts';
import type { Role } from '../domain/subject/events.ts';
import type { Principal } from '../infra/keys/credentials.ts';

/** A response that is not JSON. */
export interface RawResponse {
  readonly mediaType: string;
  readonly description: string;
}

export type ResponseSpec = z.ZodType | RawResponse;
export type Responses = Readonly<Record<number, ResponseSpec>>;

/** Answers are only read, so what is handed over may be read-only all the way down. */
type Readable<T> = T extends readonly (infer U)[]
  ? readonly Readable<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Readable<T[K]> }
    : T;

type BodyOf<S extends ResponseSpec> = S extends z.ZodType
  ? Readable<z.input<S>>
  : string | Uint8Array | AsyncIterable<Uint8Array>;

/** One of the declared answers: a status with the body that belongs to it. */
export type ReplyOf<R extends Responses> = {
  [S in keyof R & number]: {
    readonly ok: true;
    readonly status: S;
    readonly body: BodyOf<R[S]>;
    /** Media type of a raw body that differs from the declared one. */
    readonly mediaType?: string;
  };
}[keyof R & number];

/** Answers with `body`; the compiler holds status and body against the responses of the route. */
export const respond = <const S extends number, const B>(status: S, body: B) => ({
  ok: true as const,
  status,
  body,
});

/** `open` asks for no identity, `any` for any; a list for one of its roles (`admin` counts as `operator`). */
export type RouteAccess = 'open' | 'any' | readonly Role[];

export interface RequestContext {
  /** `anonymous` without roles where a route is open and the caller showed nothing. */
  readonly principal: Principal;
  /** Idempotency id of the command: from the caller's key, so that a retry has the same; otherwise fresh. */
  readonly commandId: string;
  readonly requestId: string;
  readonly traceparent: string | null;
  /** RFC 3339. */
  readonly now: string;
  /** Null within the rate limit; beyond it (`signIn` routes alone get here) whether this principal has a sign-in to spare. */
  readonly beyondLimit: ((principal: string) => Promise<boolean>) | null;
  /** Tells the access log whom a sign-in was granted to. */
  readonly signedIn: (principal: string) => void;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** A value of a request header. */
  readonly header: (name: string) => string | undefined;
  /** An id that derives from `commandId`: the same command creates the same thing. */
  readonly newId: (prefix: string) => string;
  /** Origin of a command to a lifecycle. */
  readonly meta: (correlationId: string) => CommandMeta;
}

export interface RouteInput<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

type Shape = z.ZodObject | undefined;
type Output<T> = T extends z.ZodType ? z.output<T> : undefined;

export interface RouteSpec<
  P extends Shape,
  Q extends Shape,
  B extends z.ZodType | undefined,
  R extends Responses,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** OpenAPI form: `/v1/fog/scheduler/status/{job_id}`. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly tag: string;
  readonly access: RouteAccess;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The body is bytes: the handler reads them as they arrive, `body` stays undeclared. */
  readonly binaryBody?: { readonly maxBytes: number };
  readonly responses: R;
  /** Codes beyond those that every route may answer with. */
  readonly errors: readonly ErrorCode[];
  /** Where callers get their identity: counted apart, and a known one gets in from a network that is over its limit. */
  readonly signIn?: true;
  /** Probes and metrics are never limited. */
  readonly unlimited?: true;
  /** The answer holds a secret, which is never stored. */
  readonly notIdempotent?: true;
}

export type Handler<P, Q, B, R extends Responses> = (
  context: RequestContext,
  input: RouteInput<P, Q, B>,
) => Promise<ReplyOf<R> | Rejection>;

/** The answer to a command that the log holds already; null for one that was never obeyed. */
export type Earlier<P, Q, B, R extends Responses> = (
  context: RequestContext,
  input: RouteInput<P, Q, B>,
) => Promise<ReplyOf<R> | Rejection | null>;

/** A route as the pipeline serves it, its types erased. */
export interface Route extends RouteSpec<Shape, Shape, z.ZodType | undefined, Responses> {
  readonly handler: Handler<never, never, never, Responses>;
  readonly earlier?: Earlier<never, never, never, Responses>;
}

/**
 * Declares one route: what it accepts, who may call it, everything it can answer. The pipeline checks identity, rate,
 * role, input and idempotency before `handler` runs, and the OpenAPI document is generated from the same declaration.
 *
 * What a command asks for may be impossible by the time it is repeated, because it was obeyed: a route whose handler checks
 * that before it sends the command says how such a repetition is answered by `earlier`. It is asked before a refusal is told.
 */
export const defineRoute = <
  const R extends Responses,
  P extends Shape = undefined,
  Q extends Shape = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  spec: RouteSpec<P, Q, B, R>,
  handler: Handler<Output<P>, Output<Q>, B extends z.ZodType ? z.output<B> : AsyncIterable<Uint8Array>, R>,
  earlier?: Earlier<Output<P>, Output<Q>, B extends z.ZodType ? z.output<B> : AsyncIterable<Uint8Array>, R>,
): Route => ({ ...spec, handler, ...(earlier && { earlier }) });
