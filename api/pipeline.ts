import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Rejection } from '../domain/errors.ts';
import type { IdempotencyKeys, StoredAnswer } from '../infra/idempotency/keys.ts';
import type { Credentials, Principal } from '../infra/keys/credentials.ts';
import type { ByteBudget } from '../infra/p2p/byte-budget.ts';
import { authenticate } from './auth/authenticate.ts';
import { BodyError } from './body.ts';
import type { ReplyOf, RequestContext, Responses, Route, RouteInput } from './define-route.ts';
import { isKeyed, isRaw } from './describe-operation.ts';
import type { ApiContext } from './environment.ts';
import { answerOnce, commandIdOf, IDEMPOTENCY_HEADER, idFrom } from './idempotency.ts';
import { PROBLEM_MEDIA_TYPE, type ProblemFacts, problemOf } from './problem.ts';
import type { RateLimiter } from './rate-limit.ts';
import { readInput } from './read-input.ts';
import { ANONYMOUS, permits } from './roles.ts';
import { sayWhenAgain, sendProblem } from './send.ts';
import { isUnavailable } from './unavailable.ts';

export interface PipelineDependencies {
  readonly credentials: Credentials;
  readonly limiter: RateLimiter;
  readonly idempotency: IdempotencyKeys;
  readonly now: () => string;
  /** What bodies that are being read may take together. */
  readonly bodies: ByteBudget;
  /** Checks every answer against its schema: for tests, where a wrong answer has to fail. */
  readonly checkResponses?: boolean;
}

type AnyReply = ReplyOf<Responses>;

const JSON_MEDIA_TYPE = 'application/json';

/** An open route answers without its databases: then nobody can be identified, and nobody needs to be. */
const identityOf = async (
  c: ApiContext,
  route: Route,
  credentials: Credentials,
): Promise<Principal | null> => {
  try {
    return await authenticate(c, credentials);
  } catch (error) {
    if (route.access === 'open' && isUnavailable(error)) return ANONYMOUS;
    throw error;
  }
};

const contextOf = (
  c: ApiContext,
  principal: Principal,
  commandId: string,
  { now, beyondLimit }: Pick<RequestContext, 'now' | 'beyondLimit'>,
): RequestContext => {
  const { traceparent } = c.get('trace');
  return {
    principal,
    commandId,
    requestId: c.get('requestId'),
    traceparent,
    now,
    beyondLimit,
    signedIn: (id) => c.set('principal', { id }),
    // Asked for, it makes a web request of the connection, which begins to read what is left of the body.
    get signal() {
      return c.req.raw.signal;
    },
    header: (name) => c.req.header(name),
    newId: (prefix) => idFrom(commandId, prefix),
    meta: (correlationId) => ({
      commandId,
      actor: principal.id,
      correlationId,
      causationId: commandId,
      traceparent,
    }),
  };
};

interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** Serves `route`: identity, rate, role, input and idempotency in this order, then the handler. */
export const serve = (route: Route, deps: PipelineDependencies) => {
  type Asked = [context: RequestContext, input: RouteInput<unknown, unknown, unknown>];
  const handler = route.handler as (...asked: Asked) => Promise<AnyReply | Rejection>;
  const earlier = route.earlier as ((...asked: Asked) => Promise<AnyReply | Rejection | null>) | undefined;

  /** A refusal of a keyed request may meet its own first success, by a process that died before it could tell. */
  const replyTo = async (isKeyedRequest: boolean, ...asked: Asked): Promise<AnyReply | Rejection> => {
    const reply = await handler(...asked);
    return reply.ok || !isKeyedRequest || !earlier ? reply : ((await earlier(...asked)) ?? reply);
  };

  const problemAnswer = (c: ApiContext, facts: ProblemFacts): Answer => {
    c.set('refusal', facts.code);
    const problem = problemOf(facts, c.req.path, c.get('trace').traceId);
    return { status: problem.status, mediaType: PROBLEM_MEDIA_TYPE, body: JSON.stringify(problem) };
  };

  const answerOf = (c: ApiContext, reply: AnyReply | Rejection): Answer => {
    if (!reply.ok) return problemAnswer(c, reply);
    const declared = route.responses[reply.status];
    if (!declared) throw new Error(`${route.path} does not declare ${reply.status}`);
    if (isRaw(declared)) {
      const body = reply.body as Answer['body'];
      return { status: reply.status, mediaType: reply.mediaType ?? declared.mediaType, body };
    }
    if (deps.checkResponses) declared.parse(reply.body);
    return { status: reply.status, mediaType: JSON_MEDIA_TYPE, body: JSON.stringify(reply.body) };
  };

  const send = (c: ApiContext, { status, mediaType, body }: Answer): Response => {
    c.header('Content-Type', mediaType);
    sayWhenAgain(c, status);
    const whole = typeof body === 'string' || body instanceof Uint8Array;
    const sent = whole ? (body as string | Uint8Array<ArrayBuffer>) : ReadableStream.from(body);
    return c.body(sent as string, status as ContentfulStatusCode);
  };

  return async (c: ApiContext): Promise<Response> => {
    c.set('endpoint', route.path);
    const principal = await identityOf(c, route, deps.credentials);
    if (principal) c.set('principal', principal);
    const purpose = route.signIn && 'sign-in';
    const isAdmitted = route.unlimited || (await deps.limiter.admit(c, principal ?? ANONYMOUS, purpose));
    if (!isAdmitted && !(route.signIn && principal === ANONYMOUS)) {
      return sendProblem(c, {
        code: 'RATE_LIMIT_EXCEEDED',
        message: 'too many requests; see RateLimit and Retry-After',
      });
    }
    if (!principal || (principal === ANONYMOUS && route.access !== 'open')) {
      return sendProblem(c, {
        code: 'AUTHENTICATION_FAILED',
        message: principal ? 'a token or an API key is needed' : 'the token or API key is not valid',
      });
    }
    if (!permits(route.access, principal)) {
      return sendProblem(c, {
        code: 'AUTHORIZATION_FAILED',
        message: `needs a role of: ${String(route.access)}`,
      });
    }
    const read = await readInput(c, route, deps.bodies);
    if (!read.ok) return sendProblem(c, read.problem);

    const key = isKeyed(route) ? c.req.header(IDEMPOTENCY_HEADER) : undefined;
    const commandId = commandIdOf(principal.id, `${route.method} ${route.path}`, key);
    const run = async (): Promise<Answer> => {
      const beyondLimit = isAdmitted ? null : (known: string) => deps.limiter.spare(c, known);
      const context = contextOf(c, principal, commandId, { now: deps.now(), beyondLimit });
      try {
        return answerOf(c, await replyTo(key !== undefined, context, read.input));
      } catch (error) {
        if (error instanceof BodyError) return problemAnswer(c, error.problem);
        throw error;
      }
    };
    if (key === undefined) return send(c, await run());

    const target = `${c.req.method} ${c.req.url.slice(c.req.url.indexOf('/', 8))}`;
    const outcome = await answerOnce(
      deps.idempotency,
      { principal: principal.id, key, target, body: read.bytes },
      async () => (await run()) as StoredAnswer,
    );
    if (outcome.type === 'refused') return sendProblem(c, outcome.problem);
    if (outcome.replayed) c.header('Idempotency-Replayed', 'true');
    return send(c, outcome.answer);
  };
};
