import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ApiContext } from './environment.ts';
import { PROBLEM_MEDIA_TYPE, type ProblemFacts, problemOf } from './problem.ts';

/** Answers with a problem. Headers that belong to the code are set here, before the response exists. */
export const sendProblem = (c: ApiContext, facts: ProblemFacts): Response => {
  const problem = problemOf(facts, c.req.path, c.get('trace').traceId);
  if (problem.status === 401) c.header('WWW-Authenticate', 'Bearer, ApiKey');
  c.header('Content-Type', PROBLEM_MEDIA_TYPE);
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode);
};
