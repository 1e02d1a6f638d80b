import { type DescribeRouteOptions, describeRoute, resolver } from 'hono-openapi';
import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from '../domain/errors.ts';
import type { RawResponse, ResponseSpec, Route } from './define-route.ts';
import { IDEMPOTENCY_HEADER } from './idempotency.ts';
import { PROBLEM_MEDIA_TYPE, problemSchema } from './problem.ts';

type ResponseObjects = NonNullable<DescribeRouteOptions['responses']>;
type Parameters = NonNullable<DescribeRouteOptions['parameters']>;

/** Codes that every route may answer with, whatever it does. */
const EVERYWHERE: readonly (readonly [status: number, code: ErrorCode])[] = [
  [400, 'INVALID_REQUEST'],
  [500, 'INTERNAL_ERROR'],
  [503, 'RESOURCE_UNAVAILABLE'],
];

export const isRaw = (response: ResponseSpec): response is RawResponse => !(response instanceof z.ZodType);

const codesByStatus = (route: Route): Map<number, Set<ErrorCode>> => {
  const statuses = new Map<number, Set<ErrorCode>>();
  const add = (status: number, code: ErrorCode): void => {
    statuses.set(status, (statuses.get(status) ?? new Set()).add(code));
  };
  for (const [status, code] of EVERYWHERE) add(status, code);
  if (route.params || route.query || route.body || route.method === 'POST') add(422, 'INVALID_REQUEST');
  if (route.body || route.binaryBody) add(413, 'INVALID_REQUEST');
  if (!route.unlimited) add(429, 'RATE_LIMIT_EXCEEDED');
  // An open route, too, refuses credentials that prove nothing.
  add(401, 'AUTHENTICATION_FAILED');
  if (Array.isArray(route.access)) add(403, 'AUTHORIZATION_FAILED');
  if (isKeyed(route)) add(409, 'CONFLICT');
  for (const code of route.errors) add(ERROR_STATUS[code], code);
  return statuses;
};

/** Whether the route honours an idempotency key. */
export const isKeyed = (route: Route): boolean => route.method === 'POST' && !route.notIdempotent;

const parametersIn = (place: 'path' | 'query', shape: z.ZodObject | undefined): Parameters =>
  Object.entries(shape?.shape ?? {}).map(([name, field]) => {
    const { $schema: _, ...described } = z.toJSONSchema(field, { io: 'output', unrepresentable: 'any' });
    const schema: object = described;
    return { in: place, name, required: !field.safeParse(undefined).success, schema };
  });

const responsesOf = (route: Route): ResponseObjects => {
  const responses: ResponseObjects = {};
  for (const [status, response] of Object.entries(route.responses)) {
    responses[status] = isRaw(response)
      ? {
          description: response.description,
          content: { [response.mediaType]: { schema: { type: 'string' } } },
        }
      : {
          description: response.description ?? 'OK',
          content: { 'application/json': { schema: resolver(response) } },
        };
  }
  for (const [status, codes] of [...codesByStatus(route)].sort(([a], [b]) => a - b)) {
    // A health answer of 503 is no problem document: what a route declares itself stands.
    responses[status] ??= {
      description: [...codes].join(', '),
      content: { [PROBLEM_MEDIA_TYPE]: { schema: resolver(problemSchema) } },
    };
  }
  return responses;
};

const bodyOf = (route: Route): Pick<DescribeRouteOptions, 'requestBody'> => {
  if (route.binaryBody) {
    const schema = { type: 'string', format: 'binary' } as const;
    return { requestBody: { required: true, content: { 'application/octet-stream': { schema } } } };
  }
  if (!route.body) return {};
  return {
    requestBody: { required: true, content: { 'application/json': { schema: resolver(route.body) } } },
  };
};

const keyHeader: Parameters[number] = {
  in: 'header',
  name: IDEMPOTENCY_HEADER,
  required: false,
  description: 'The same key with the same request gets the same answer for 24 hours.',
  schema: { type: 'string', maxLength: 200 },
};

/** `/v1/jobs/{job_id}` + GET → `getV1JobsByJobId`: stable, so that generated clients are. */
const operationId = ({ method, path }: Route): string =>
  method.toLowerCase() +
  path
    .split(/[/.-]/)
    .filter(Boolean)
    .map((part) => part.replace(/^\{(.*)\}$/, 'by_$1'))
    .flatMap((part) => part.split('_'))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** The route's part of the OpenAPI document. */
export const describeOperation = (route: Route) =>
  describeRoute({
    operationId: operationId(route),
    summary: route.summary,
    tags: [route.tag],
    parameters: [
      ...parametersIn('path', route.params),
      ...parametersIn('query', route.query),
      ...(isKeyed(route) ? [keyHeader] : []),
    ],
    ...bodyOf(route),
    responses: responsesOf(route),
    security:
      route.access === 'open' ? [{}, { bearer: [] }, { apiKey: [] }] : [{ bearer: [] }, { apiKey: [] }],
    'x-roles': typeof route.access === 'string' ? [route.access] : [...route.access],
  } as DescribeRouteOptions);
