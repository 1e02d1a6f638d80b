import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { EXIT } from '../failure.ts';
import { createClient } from './client.ts';
import { createTransport } from './transport.ts';

/** One request as the server got it. */
interface Received {
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Answer = (response: ServerResponse) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const problem = (status: number, code: string, errors?: { field: string; rule: string }[]): Answer =>
  json(status, { code, detail: `detail of ${code}`, trace_id: 'trace-1', ...(errors ? { errors } : {}) });
const breakOff: Answer = (response) => response.destroy();

let server: Server;
let received: Received[];
/** Answers to everything but sign-ins, in order; the last one for good. */
let script: Answer[];
let tokens: number;

const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await text(request);
  const target = `${request.method} ${request.url}`;
  received.push({ target, headers: request.headers, body });
  if (target === 'POST /v1/auth/token') {
    if (JSON.parse(body).api_key !== 'right') return problem(401, 'AUTHENTICATION_FAILED')(response);
    tokens += 1;
    return json(200, { access_token: `token-${tokens}`, token_type: 'Bearer', expires_in: 900 })(response);
  }
  (script.length > 1 ? script.shift() : script[0])?.(response);
};

const listen = async (port = 0): Promise<void> => {
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
};
const close = () =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
const portOf = () => (server.address() as AddressInfo).port;

beforeEach(async () => {
  received = [];
  script = [json(200, { value: 1 })];
  tokens = 0;
  await listen();
});
afterEach(close);

const open = (apiKey = 'right', patienceMs = 3_000) =>
  createTransport({ apiUrl: `http://127.0.0.1:${portOf()}`, apiKey, patienceMs, firstPatienceMs: 150 });
const get = { method: 'GET', path: '/v1/thing' } as const;
const schema = z.object({ value: z.int() });
const calls = () => received.filter(({ target }) => !target.endsWith('/v1/auth/token'));

test('signs in once and shows the token with every call', async () => {
  const transport = open();
  expect(await transport.json(get, schema)).toEqual({ value: 1 });
  expect(await transport.bytes(get)).toEqual(new TextEncoder().encode('{"value":1}'));
  expect(received.map(({ target }) => target)).toEqual([
    'POST /v1/auth/token',
    'GET /v1/thing',
    'GET /v1/thing',
  ]);
  expect(calls().map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-1']);
});

test('signs in again when the token has run out; a fresh token that is refused is the answer', async () => {
  script = [json(200, { value: 1 }), problem(401, 'AUTHENTICATION_FAILED'), json(200, { value: 2 })];
  const transport = open();
  await transport.json(get, schema);
  expect(await transport.json(get, schema)).toEqual({ value: 2 });
  expect(tokens).toBe(2);
  script = [problem(401, 'AUTHENTICATION_FAILED')];
  await expect(open().json(get, schema)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  expect(tokens).toBe(3);
});

test('a refusal becomes its code, its text and every field with its rule', async () => {
  script = [
    problem(422, 'INVALID_REQUEST', [{ field: 'tier', rule: 'one of bronze, silver, gold, platinum' }]),
  ];
  await expect(open().json(get, schema)).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    status: 422,
    exitCode: EXIT.refused,
    message: 'INVALID_REQUEST: detail of INVALID_REQUEST\n  tier: one of bronze, silver, gold, platinum',
  });
  expect(calls()).toHaveLength(1);
});

test('rules are told once where the text is made of them', async () => {
  const detail = 'tier: unknown; utilization: at most 1';
  const errors = [
    { field: 'tier', rule: 'unknown' },
    { field: 'utilization', rule: 'at most 1' },
  ];
  script = [json(422, { code: 'INVALID_REQUEST', detail, errors })];
  await expect(open().json(get, schema)).rejects.toThrow(
    /^INVALID_REQUEST\n {2}tier: unknown\n {2}utilization: at most 1$/,
  );
});

test('a defect of the server is a failure, with the trace to look for', async () => {
  script = [problem(500, 'INTERNAL_ERROR')];
  await expect(open().json(get, schema)).rejects.toMatchObject({
    exitCode: EXIT.failed,
    message: expect.stringContaining('trace trace-1'),
  });
});

test('a wrong key is refused without being shown', async () => {
  await expect(open('wrong-secret').json(get, schema)).rejects.toMatchObject({
    code: 'AUTHENTICATION_FAILED',
    message: expect.not.stringContaining('wrong-secret'),
  });
});

test.each([
  [breakOff, 'got no answer'],
  [problem(503, 'RESOURCE_UNAVAILABLE'), 'detail of RESOURCE_UNAVAILABLE'],
])('what would be done twice is sent once, however it ends (%#)', async (answer, message) => {
  script = [answer, json(200, { value: 1 })];
  const create = { method: 'POST', path: '/v1/thing', once: true } as const;
  await expect(open().json(create, schema)).rejects.toThrow(message);
  expect(calls()).toHaveLength(1);
});

test('nothing listens: the message says how to start it', async () => {
  const transport = open();
  await close();
  await expect(transport.json(get, schema)).rejects.toThrow(
    /No AIVillage API answers.*ECONNREFUSED.*npm start/,
  );
});

test('a call outlives a restart of the API', async () => {
  const transport = open();
  await transport.json(get, schema);
  const port = portOf();
  await close();
  const answer = transport.json(get, schema);
  await listen(port);
  expect(await answer).toEqual({ value: 1 });
});

test('a call is repeated after a broken connection, an outage and a full window', async () => {
  script = [
    breakOff,
    problem(503, 'RESOURCE_UNAVAILABLE'),
    json(429, { code: 'RATE_LIMIT_EXCEEDED', detail: 'too many' }, { 'retry-after': '0' }),
    json(502, 'no problem details'),
    json(200, { value: 9 }),
  ];
  expect(await open().json(get, schema)).toEqual({ value: 9 });
  expect(calls()).toHaveLength(5);
});

test('an outage that lasts is told as the API tells it, within the bound', async () => {
  script = [problem(503, 'RESOURCE_UNAVAILABLE')];
  await expect(open('right', 250).json(get, schema)).rejects.toMatchObject({
    code: 'RESOURCE_UNAVAILABLE',
    exitCode: EXIT.failed,
  });
  expect(calls().length).toBeGreaterThan(1);
});

test('a command keeps its key when it is repeated, and waits for its own first attempt', async () => {
  script = [
    breakOff,
    problem(409, 'CONFLICT'),
    json(202, { job_id: 'job-1', state: 'quoted', position: '7' }),
  ];
  const submitted = await createClient(open()).submit({
    quote_id: 'q',
    code_hash: 'c',
    args: [],
    allow_simulated: false,
  });
  expect(submitted.job_id).toBe('job-1');
  const keys = new Set(calls().map(({ headers }) => headers['idempotency-key']));
  expect(calls()).toHaveLength(3);
  expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
});

test('a conflict of a first attempt is the answer', async () => {
  script = [problem(409, 'CONFLICT')];
  await expect(open().json(get, schema)).rejects.toMatchObject({ code: 'CONFLICT', exitCode: EXIT.refused });
  expect(calls()).toHaveLength(1);
});

test('answers that are no answers of this API are named as such', async () => {
  script = [json(404, '<html>')];
  await expect(open().json(get, schema)).rejects.toThrow(/GET http:.* answered 404 without saying why/);
  script = [(response) => response.writeHead(200).end('<html>')];
  await expect(open().json(get, schema)).rejects.toThrow('is not JSON');
  script = [json(200, { value: 'text' })];
  await expect(open().json(get, schema)).rejects.toThrow('unknown form (value)');
});

test('bytes go up under their hash and come down checked', async () => {
  const client = createClient(open());
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
  script = [json(200, { sha256 })];
  expect(await client.upload(new TextEncoder().encode('hello'), 'application/wasm')).toBe(sha256);
  expect(calls()[0]).toMatchObject({
    target: `PUT /v1/artifacts/${sha256}`,
    headers: { 'content-type': 'application/wasm' },
    body: 'hello',
  });
  script = [(response) => response.end('hello')];
  expect(Buffer.from(await client.download(sha256)).toString()).toBe('hello');
  script = [(response) => response.end('other')];
  await expect(client.download(sha256)).rejects.toThrow('other bytes');
});

test('a wait is bounded by the server and asks for what was written', async () => {
  const client = createClient(open());
  script = [problem(404, 'RESOURCE_NOT_FOUND', [{ field: 'job_id', rule: 'a job of yours' }])];
  await expect(client.status('job/1', { waitSeconds: 1, after: '7' })).rejects.toMatchObject({
    exitCode: EXIT.refused,
    message: expect.stringContaining('job_id: a job of yours'),
  });
  expect(calls()[0]?.target).toBe('GET /v1/fog/scheduler/status/job%2F1?wait_for=terminal&timeout=1&after=7');
});

test('jobs are listed to the last page', async () => {
  const page = (id: string, next: string | null) => {
    const item = { job_id: id, state: 'settled', tier: 'gold', price_micro: '1', submitted_at: 'then' };
    return json(200, { own: { items: [item], next_cursor: next } });
  };
  script = [page('job-2', '40'), page('job-1', null)];
  const jobs = await Array.fromAsync(createClient(open()).jobs());
  expect(jobs.map(({ job_id }) => job_id)).toEqual(['job-2', 'job-1']);
  expect(calls().map(({ target }) => target)).toEqual([
    'GET /v1/fog/scheduler/queue?limit=500',
    'GET /v1/fog/scheduler/queue?limit=500&cursor=40',
  ]);
});
