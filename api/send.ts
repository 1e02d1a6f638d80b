import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ApiContext } from './environment.ts';
import { PROBLEM_MEDIA_TYPE, type ProblemFacts, problemOf } from './problem.ts';

/** Who has to try again is told when, unless something said so already. */
export const sayWhenAgain = (c: ApiContext, status: number): void => {
  if ((status === 429 || status === 503) && !c.res.headers.has('Retry-After')) c.header('Retry-After', '1');
};

/** Answers with a problem. Headers that belong to the code are set here, before the response exists. */
export const sendProblem = (c: ApiContext, facts: ProblemFacts): Response => {
  c.set('refusal', facts.code);
  const problem = problemOf(facts, c.req.path, c.get('trace').traceId);
  if (problem.status === 401) c.header('WWW-Authenticate', 'Bearer, ApiKey');
  sayWhenAgain(c, problem.status);
  c.header('Content-Type', PROBLEM_MEDIA_TYPE);
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode);
};
