import { createHash, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Problem } from '../../api/problem.ts';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, text, or the bytes of anything else; the caller says what it is. */
  readonly body: Body;
}

export interface Rest {
  get<Body = unknown>(path: string): Promise<Answer<Body>>;
  /** Every POST carries an Idempotency-Key, a fresh one unless given. A string is sent as it is. */
  post<Body = unknown>(path: string, body: object | string, key?: string): Promise<Answer<Body>>;
  put<Body = unknown>(path: string, body: object): Promise<Answer<Body>>;
  delete<Body = unknown>(path: string): Promise<Answer<Body>>;
  /** Stores bytes under their SHA-256, or under what is claimed to be it. */
  store<Body = unknown>(
    bytes: Uint8Array<ArrayBuffer>,
    mediaType?: string,
    sha256?: string,
  ): Promise<Answer<Body>>;
  download(sha256: string): Promise<Uint8Array>;
}

/** Headers that prove an identity; none for a stranger. */
export type Identity = Readonly<Record<string, string>>;

export const byToken = (token: string): Identity => ({ Authorization: `Bearer ${token}` });

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const bodyOf = async (response: Response): Promise<unknown> => {
  const mediaType = response.headers.get('content-type') ?? '';
  if (mediaType.includes('json')) return response.json();
  return mediaType.startsWith('text/') ? response.text() : response.bytes();
};

/** A plain HTTP client: what any language's would be. */
export const createRest = (apiUrl: string, identity: Identity = {}): Rest => {
  const send = async <Body>(path: string, init: RequestInit = {}): Promise<Answer<Body>> => {
    const response = await fetch(`${apiUrl}${path}`, {
      ...init,
      headers: { ...identity, ...(init.headers as Identity) },
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await bodyOf(response)) as Body,
    };
  };
  return {
    get: (path) => send(path),
    post: (path, body, key = randomUUID()) =>
      send(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    put: (path, body) =>
      send(path, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    delete: (path) => send(path, { method: 'DELETE' }),
    store: (bytes, mediaType = 'application/octet-stream', sha256 = sha256Of(bytes)) =>
      send(`/v1/artifacts/${sha256}`, {
        method: 'PUT',
        headers: { 'Content-Type': mediaType },
        body: bytes,
      }),
    download: async (sha256) => {
      const response = await fetch(`${apiUrl}/v1/artifacts/${sha256}`, { headers: identity });
      expect(response.status).toBe(200);
      return response.bytes();
    },
  };
};

/** Expects a refusal as RFC 9457 has it, with our stable code and, where a field is at fault, its name and rule. */
export const expectProblem = (
  { status, headers, body }: Answer<unknown>,
  wanted: Pick<Problem, 'status' | 'code'> & { readonly errors?: Problem['errors'] },
): void => {
  expect({ status, body }).toMatchObject({ status: wanted.status, body: wanted });
  expect(headers.get('content-type')).toBe('application/problem+json');
};
