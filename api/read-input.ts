import type { z } from 'zod';
import type { FieldError } from '../domain/errors.ts';
import { jsonFault } from '../domain/text.ts';
import type { ByteBudget } from '../infra/p2p/byte-budget.ts';
import { declaredTooLarge, MAX_JSON_BYTES, parseJson, readBody, streamBody } from './body.ts';
import type { Route, RouteInput } from './define-route.ts';
import type { ApiContext } from './environment.ts';
import { fieldErrors } from './field-errors.ts';
import type { ProblemFacts } from './problem.ts';

export type ReadInput =
  | {
      readonly ok: true;
      readonly input: RouteInput<unknown, unknown, unknown>;
      /** The body as it was sent: what an idempotency key is bound to. */
      readonly bytes: Uint8Array;
    }
  | { readonly ok: false; readonly problem: ProblemFacts };

const NO_BYTES = new Uint8Array();

const refused = (problem: ProblemFacts): ReadInput => ({ ok: false, problem });

/** `value` by `schema`; every broken rule goes to `errors`. Without a schema nothing is handed on. */
const check = (
  schema: z.ZodType | undefined,
  value: unknown,
  whole: string,
  errors: FieldError[],
): unknown => {
  const parsed = schema?.safeParse(value);
  if (!parsed) return undefined;
  if (parsed.success) return parsed.data;
  errors.push(...fieldErrors(parsed.error.issues, value, whole));
  return undefined;
};

/** Whatever a schema lets through: no text of a path or a query that could not be stored. */
const checkTexts = (texts: Readonly<Record<string, string>>, errors: FieldError[]): void => {
  for (const [field, value] of Object.entries(texts)) {
    const fault = jsonFault(value, field);
    if (fault && !errors.some((error) => error.field === field)) errors.push(fault);
  }
};

/** The body by its schema, behind the gate that all JSON passes. */
const checkBody = (schema: z.ZodType, value: unknown, errors: FieldError[]): unknown => {
  const fault = jsonFault(value, 'body');
  if (!fault) return check(schema, value, 'body', errors);
  errors.push(fault);
  return undefined;
};

/** Rules about there being a field at all, not about what it says. */
const PRESENCE = ['required', 'not a known field'];

/** Whether the error says only that this names nothing: a part of the path, or an id in the query. */
const namesNothing = ({ field, rule }: FieldError, params: object | undefined): boolean =>
  !PRESENCE.includes(rule) && (field.endsWith('_id') || (params !== undefined && field in params));

/**
 * Reads and checks path, query and body; a refusal names every field that breaks a rule, and the rule. What can be the
 * name of nothing, in the path or as an id in the query, is not found where the route knows of things not found.
 */
export const readInput = async (c: ApiContext, route: Route, bodies: ByteBudget): Promise<ReadInput> => {
  const errors: FieldError[] = [];
  const params = check(route.params, c.req.param(), 'path', errors);
  const query = check(route.query, c.req.query(), 'query', errors);
  checkTexts(c.req.param(), errors);
  checkTexts(c.req.query(), errors);
  const isName =
    route.errors.includes('RESOURCE_NOT_FOUND') &&
    errors.every((error) => namesNothing(error, route.params?.shape));
  const named = errors.length;
  let body: unknown;
  let bytes: Uint8Array = NO_BYTES;
  if (route.binaryBody) {
    const { maxBytes } = route.binaryBody;
    const problem = declaredTooLarge(c, maxBytes);
    if (problem) return refused(problem);
    body = streamBody(c, maxBytes);
  } else if (route.body) {
    const read = await readBody(c, MAX_JSON_BYTES, bodies);
    if (!read.ok) return refused(read.problem);
    bytes = read.bytes;
    const json = parseJson(bytes, c.req.header('content-type'));
    if (!json.ok) return refused(json.problem);
    body = checkBody(route.body, json.value, errors);
  }
  if (errors.length > 0) {
    const message = errors.map(({ field, rule }) => `${field}: ${rule}`).join('; ');
    const isUnknown = isName && errors.length === named;
    return refused({ code: isUnknown ? 'RESOURCE_NOT_FOUND' : 'INVALID_REQUEST', message, errors });
  }
  return { ok: true, input: { params, query, body }, bytes };
};
