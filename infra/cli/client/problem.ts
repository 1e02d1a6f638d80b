import { z } from 'zod';
import { CliError, EXIT } from '../failure.ts';

const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), rule: z.string() })).default([]),
  trace_id: z.string().optional(),
});
type Problem = z.output<typeof problemSchema>;

const messageOf = ({ code, detail, errors, trace_id }: Problem, status: number): string => {
  const rules = errors.map(({ field, rule }) => `${field}: ${rule}`);
  // Where the text is no more than the rules in a row, they are told once.
  const lines = detail === rules.join('; ') ? [code] : [`${code}: ${detail}`];
  lines.push(...rules.map((rule) => `  ${rule}`));
  // The server's own log tells more about a defect of its own; about a refusal there is no more to tell.
  if (status >= 500 && trace_id !== undefined) lines.push(`  trace ${trace_id}`);
  return lines.join('\n');
};

/** A refusal or an error of the API: its code and text, then every field with the rule that it breaks. */
export class ApiError extends CliError {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Code of the catalogue; null when something other than the API answered. */
  readonly code: string | null;

  constructor(status: number, code: string | null, message: string) {
    super(message, status >= 500 || status === 429 ? EXIT.failed : EXIT.refused);
    this.status = status;
    this.code = code;
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** The error in an answer that is no success: RFC 9457 problem details, else whatever a gateway may have said. */
export const apiErrorOf = (status: number, body: string, target: string): ApiError => {
  const problem = problemSchema.safeParse(parseJson(body));
  return problem.success
    ? new ApiError(status, problem.data.code, messageOf(problem.data, status))
    : new ApiError(status, null, `${target} answered ${status} without saying why`);
};
