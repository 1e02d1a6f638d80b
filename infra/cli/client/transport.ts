import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CliError, EXIT } from '../failure.ts';
import type { ApiCredentials } from './credentials.ts';
import { type ApiError, apiErrorOf } from './problem.ts';
import { backOffMs, isWorthRetrying, retryAfterMs } from './retries.ts';

/** A call that may be sent twice, being a read, an upload by hash, or a command with an idempotency key; or `once`. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one attempt may take, ms. */
  readonly timeoutMs?: number;
  /** Never sent again: it would be done twice. */
  readonly once?: true;
}

export interface Transport {
  /** The JSON of a successful answer. @throws CliError */
  json<S extends z.ZodType>(call: Call, schema: S): Promise<z.output<S>>;
  /** The bytes of a successful answer. @throws CliError */
  bytes(call: Call): Promise<Uint8Array>;
}

export interface TransportOptions extends ApiCredentials {
  /** How long to go on trying while the API restarts, ms. */
  readonly patienceMs?: number;
  /** The same before the API was reached for the first time: probably it does not run at all. */
  readonly firstPatienceMs?: number;
}

const PATIENCE_MS = 60_000;
const FIRST_PATIENCE_MS = 2_000;
const TIMEOUT_MS = 30_000;

const tokenSchema = z.object({ access_token: z.string() });

interface Answer {
  readonly bytes: Uint8Array;
  readonly error: ApiError | null;
  readonly retryAfterMs: number | null;
}

const reasonOf = (error: unknown): string => {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? cause?.message ?? message);
};

/**
 * HTTP to the API as one principal. Signs in on first use and again when a token has run out. While the API is away or
 * overloaded, a call that is safe to repeat is repeated with growing pauses, within bounds.
 */
export const createTransport = (options: TransportOptions): Transport => {
  const { apiUrl, apiKey, patienceMs = PATIENCE_MS, firstPatienceMs = FIRST_PATIENCE_MS } = options;
  let token: string | null = null;
  let reached = false;

  const send = async ({ method, path, body, headers, timeoutMs = TIMEOUT_MS }: Call): Promise<Answer> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    // Reading belongs to the attempt: an API that is killed breaks off in the middle of an answer.
    const bytes = new Uint8Array(await response.arrayBuffer());
    reached = true;
    const error = response.ok
      ? null
      : apiErrorOf(response.status, new TextDecoder().decode(bytes), `${method} ${apiUrl}${path}`);
    return { bytes, error, retryAfterMs: retryAfterMs(response.headers) };
  };

  const patiently = async (call: Call): Promise<Answer> => {
    const start = performance.now();
    for (let attempt = 1; ; attempt++) {
      const answer = await send(call).catch((error: unknown) => reasonOf(error));
      const lost = typeof answer === 'string';
      if (lost && call.once) {
        throw new CliError(
          `${call.method} ${apiUrl}${call.path} got no answer (${answer}): it may have been done or not.`,
        );
      }
      if (!lost && (call.once || answer.error === null || !isWorthRetrying(answer.error, attempt))) {
        return answer;
      }
      const pause = (lost ? null : answer.retryAfterMs) ?? backOffMs(attempt);
      const bound = reached ? patienceMs : firstPatienceMs;
      if (performance.now() - start + pause > bound) {
        if (!lost) return answer;
        throw new CliError(
          `No AIVillage API answers at ${apiUrl} (${answer}). Start it with npm start, or see its log.`,
          EXIT.failed,
        );
      }
      await delay(pause);
    }
  };

  const parsed = <S extends z.ZodType>(bytes: Uint8Array, schema: S, { method, path }: Call): z.output<S> => {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      throw new CliError(
        `${method} ${apiUrl}${path} answered something that is not JSON: is it an AIVillage API?`,
      );
    }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const fields = result.error.issues.map((issue) => issue.path.join('.') || 'body');
    throw new CliError(
      `${method} ${apiUrl}${path} answered in an unknown form (${fields.join(', ')}): does its version fit this CLI?`,
    );
  };

  const signIn = async (): Promise<string> => {
    const call: Call = {
      method: 'POST',
      path: '/v1/auth/token',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ api_key: apiKey }),
    };
    const { bytes, error } = await patiently(call);
    if (error) throw error;
    return parsed(bytes, tokenSchema, call).access_token;
  };

  const authorized = async (call: Call): Promise<Uint8Array> => {
    for (let fresh = token === null; ; fresh = true) {
      token ??= await signIn();
      const { bytes, error } = await patiently({
        ...call,
        headers: { ...call.headers, authorization: `Bearer ${token}` },
      });
      if (!error) return bytes;
      if (error.status !== 401 || fresh) throw error;
      token = null;
    }
  };

  return {
    json: async (call, schema) => parsed(await authorized(call), schema, call),
    bytes: authorized,
  };
};
