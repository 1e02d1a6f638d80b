import { Hono } from 'hono';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { reject } from '../domain/errors.ts';
import { appFor } from '../test/support/api.ts';
import { defineRoute, respond } from './define-route.ts';
import { idOf, position, queryNumber } from './fields.ts';
import { openApiDocument } from './openapi.ts';

const echo = (calls: { count: number } = { count: 0 }) =>
  defineRoute(
    {
      method: 'POST',
      path: '/v1/echo/{name}',
      summary: 'Echo',
      tag: 'test',
      access: ['submitter', 'operator'],
      params: z.strictObject({ name: z.string().max(10) }),
      query: z.strictObject({ times: queryNumber(z.int().min(1).max(3)).default(1) }),
      body: z.strictObject({
        tier: z.enum(['bronze', 'gold']),
        utilization: z.number().min(0).max(1),
        nested: z.strictObject({ tags: z.array(z.string().max(3)) }).optional(),
      }),
      responses: { 201: z.object({ count: z.int(), id: z.string(), command: z.string() }) },
      errors: ['CONFLICT'],
    },
    async (context, { body }) => {
      calls.count += 1;
      if (body.utilization === 0.5) return reject('CONFLICT', 'half is taken');
      if (body.utilization === 0.25) throw new Error('secret detail');
      if (body.utilization === 0.75) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
      return respond(201, { count: calls.count, id: context.newId('thing'), command: context.commandId });
    },
  );

const open = () =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/open',
      summary: 'Open',
      tag: 'test',
      access: 'open',
      responses: { 200: z.object({ caller: z.string() }) },
      errors: [],
    },
    async ({ principal }) => respond(200, { caller: principal.id }),
  );

const post = (
  api: ReturnType<typeof appFor>['api'],
  body: unknown,
  { key = 'submitter', path = '/v1/echo/x', ...headers }: Record<string, string> = {},
) =>
  api.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { 'x-api-key': key } : {}), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const valid = { tier: 'gold', utilization: 0.8 };

describe('identity and roles', () => {
  const { api } = appFor([echo(), open()]);

  it('asks for an identity', async () => {
    const response = await post(api, valid, { key: '' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.json()).toMatchObject({ code: 'AUTHENTICATION_FAILED', status: 401 });
  });

  it('tells a bad identity (401) from one without the role (403)', async () => {
    expect((await post(api, valid, { key: 'nobody' })).status).toBe(401);
    expect((await post(api, valid, { key: '', authorization: 'Basic abc' })).status).toBe(401);
    const forbidden = await post(api, valid, { key: 'provider' });
    expect(forbidden.status).toBe(403);
    expect(await forbidden.json()).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
  });

  it('judges the role before the input', async () => {
    expect((await post(api, 'not json', { key: 'provider' })).status).toBe(403);
  });

  it('lets an admin do what an operator may', async () => {
    expect((await post(api, valid, { key: 'admin' })).status).toBe(201);
  });

  it('serves an open route without an identity, but refuses a wrong one', async () => {
    expect(await (await api.request('/v1/open')).json()).toEqual({ caller: 'anonymous' });
    expect((await api.request('/v1/open', { headers: { 'x-api-key': 'nobody' } })).status).toBe(401);
  });
});

describe('input', () => {
  const { api } = appFor([echo()]);

  it.each([
    [{ ...valid, tier: 'diamond' }, 'tier', 'one of bronze, gold'],
    [{ ...valid, utilization: 1.2 }, 'utilization', 'at most 1'],
    [{ ...valid, utilization: 'much' }, 'utilization', 'a number'],
    [{ tier: 'gold' }, 'utilization', 'required'],
    [{ ...valid, admin: true }, 'admin', 'not a known field'],
    [{ ...valid, nested: { tags: ['ok', 'long'] } }, 'nested.tags.1', 'at most 3 characters'],
    [[], 'body', 'an object'],
    [{ ...valid, nested: { tags: ['\0'] } }, 'nested.tags.0', 'no character U+0000'],
    [
      { ...valid, nested: { tags: ['\ud800'] } },
      'nested.tags.0',
      'well-formed Unicode: no half of a surrogate pair',
    ],
    [{ ...valid, 'a\0': 1 }, 'a\ufffd', "a member's name: no character U+0000"],
    [
      `{"tier":"gold","utilization":9007199254740993}`,
      'utilization',
      'a number that JSON carries exactly: a whole one within ±(2^53 − 1)',
    ],
    [`{"tier":"gold","utilization":1e999}`, 'utilization', 'a finite number'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, Array(32).fill('0').join('.'), 'at most 32 levels deep'],
  ])('names field and rule: %j', async (body, field, rule) => {
    const response = await post(api, body);
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field, rule }] });
  });

  it('checks path and query alike', async () => {
    const response = await post(api, valid, { path: '/v1/echo/muchtoolonganame?times=7' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [
        { field: 'name', rule: 'at most 10 characters' },
        { field: 'times', rule: 'at most 3' },
      ],
    });
    expect((await post(api, valid, { path: '/v1/echo/x?times=' })).status).toBe(422);
  });

  it('does not find what a path cannot name, and refuses text that no database holds', async () => {
    const route = defineRoute(
      {
        method: 'GET',
        path: '/v1/things/{thing_id}',
        summary: 'A thing',
        tag: 'test',
        access: 'open',
        params: z.strictObject({ thing_id: idOf('thing') }),
        query: z.strictObject({
          name: z.string().optional(),
          other_id: idOf('thing').optional(),
          after: position.optional(),
        }),
        responses: { 200: z.object({}) },
        errors: ['RESOURCE_NOT_FOUND'],
      },
      async () => respond(200, {}),
    );
    const things = appFor([route]).api;
    const known = `/v1/things/thing-${'0'.repeat(26)}`;
    const refusal = async (path: string) => {
      const response = await things.request(path);
      return { status: response.status, ...((await response.json()) as object) };
    };
    expect((await things.request(`${known}?name=x&after=${'9'.repeat(18)}`)).status).toBe(200);
    expect(await refusal('/v1/things/nonsense')).toMatchObject({
      status: 404,
      code: 'RESOURCE_NOT_FOUND',
      errors: [{ field: 'thing_id', rule: 'an id thing-…' }],
    });
    expect(await refusal(`${known}?other_id=thing-1`)).toMatchObject({
      status: 404,
      errors: [{ field: 'other_id', rule: 'an id thing-…' }],
    });
    for (const [path, fields] of [
      [`${known}?name=%00`, ['name']],
      [`${known}?other_id=x&after=x`, ['other_id', 'after']],
      [`${known}?foreign_id=x`, ['foreign_id']],
      [`${known}?after=9223372036854775808`, ['after']],
      ['/v1/things/nonsense?name=%00', ['thing_id', 'name']],
    ] as const)
      expect(await refusal(path)).toMatchObject({
        status: 422,
        code: 'INVALID_REQUEST',
        errors: fields.map((field) => ({ field })),
      });
  });

  it('answers 400 for what cannot be parsed and 413 for what is too large', async () => {
    expect((await post(api, '{"tier":')).status).toBe(400);
    expect((await post(api, valid, { 'content-type': 'text/plain' })).status).toBe(400);
    const large = await post(api, `"${'x'.repeat(1024 * 1024)}"`);
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'body' }] });
  });
});

describe('errors', () => {
  const { api } = appFor([echo()]);

  it('maps a refusal of the domain to its status', async () => {
    const response = await post(
      api,
      { ...valid, utilization: 0.5 },
      { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
    );
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      type: 'urn:aivillage:problem:conflict',
      title: 'Conflict with the present state',
      status: 409,
      detail: 'half is taken',
      instance: '/v1/echo/x',
      code: 'CONFLICT',
      trace_id: 'a'.repeat(32),
    });
  });

  it('leaks nothing of a defect', async () => {
    const response = await post(api, { ...valid, utilization: 0.25 });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });

  it('answers 503 when a dependency is away, and 404 for no route', async () => {
    expect((await post(api, { ...valid, utilization: 0.75 })).status).toBe(503);
    const missing = await api.request('/v1/nothing');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  });
});

describe('idempotency', () => {
  it('R168: replays the stored answer for the same key and body', async () => {
    const calls = { count: 0 };
    const { api } = appFor([echo(calls)]);
    const first = await post(api, valid, { 'idempotency-key': 'k1' });
    const second = await post(api, valid, { 'idempotency-key': 'k1' });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(calls.count).toBe(1);
  });

  it('R168: refuses another body under the same key, per caller', async () => {
    const { api } = appFor([echo()]);
    await post(api, valid, { 'idempotency-key': 'k1' });
    const other = await post(api, { ...valid, tier: 'bronze' }, { 'idempotency-key': 'k1' });
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ errors: [{ field: 'Idempotency-Key' }] });
    expect(
      (await post(api, { ...valid, tier: 'bronze' }, { 'idempotency-key': 'k1', key: 'operator' })).status,
    ).toBe(201);
  });

  it('R168: answers 409 while the first request runs', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const slow = defineRoute(
      {
        method: 'POST',
        path: '/v1/slow',
        summary: 'Slow',
        tag: 'test',
        access: 'any',
        responses: { 200: z.object({}) },
        errors: [],
      },
      async () => {
        started.resolve();
        await gate.promise;
        return respond(200, {});
      },
    );
    const { api } = appFor([slow]);
    const first = post(api, '', { path: '/v1/slow', 'idempotency-key': 'k' });
    await started.promise;
    const second = await post(api, '', { path: '/v1/slow', 'idempotency-key': 'k' });
    expect(second.status).toBe(409);
    gate.resolve();
    expect((await first).status).toBe(200);
  });

  it('derives ids from the key, so a retry after a failure meets the same ones', async () => {
    const { api } = appFor([echo()]);
    const { api: again } = appFor([echo()]);
    const first = (await (await post(api, valid, { 'idempotency-key': 'k' })).json()) as {
      id: string;
      command: string;
    };
    const retry = (await (await post(again, valid, { 'idempotency-key': 'k' })).json()) as {
      id: string;
      command: string;
    };
    expect(retry.id).toBe(first.id);
    expect(retry.command).toBe(first.command);
    expect(first.id).toMatch(/^thing-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    const fresh = (await (await post(api, valid)).json()) as { command: string };
    expect(fresh.command).not.toBe(first.command);
  });

  it('runs again after a 5xx and does not store it', async () => {
    const calls = { count: 0 };
    const { api } = appFor([echo(calls)]);
    const body = { ...valid, utilization: 0.75 };
    expect((await post(api, body, { 'idempotency-key': 'k' })).status).toBe(503);
    expect((await post(api, body, { 'idempotency-key': 'k' })).status).toBe(503);
    expect(calls.count).toBe(2);
  });
});

describe('rate limits', () => {
  it('R168: shows the limit and answers 429 past it, per caller', async () => {
    const { api } = appFor([echo(), open()], { limits: { anonymous: 1, authenticated: 2, premium: 3 } });
    const first = await post(api, valid);
    expect(first.headers.get('ratelimit-policy')).toBe('"authenticated";q=2;w=60');
    expect(first.headers.get('ratelimit')).toBe('"authenticated";r=1;t=60');
    expect(first.headers.get('retry-after')).toBeNull();
    await post(api, valid);
    const third = await post(api, valid);
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await third.json()).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect((await post(api, valid, { key: 'premium' })).headers.get('ratelimit')).toBe('"premium";r=2;t=60');
    expect((await api.request('/v1/open')).status).toBe(200);
    expect((await api.request('/v1/open')).status).toBe(429);
  });

  it('counts failed sign-ins against the address', async () => {
    const { api } = appFor([echo()], { limits: { anonymous: 1, authenticated: 2, premium: 3 } });
    expect((await post(api, valid, { key: 'guess-1' })).status).toBe(401);
    expect((await post(api, valid, { key: 'guess-2' })).status).toBe(429);
  });
});

describe('headers', () => {
  it('echoes a sane request id and replaces any other', async () => {
    const { api } = appFor([open()]);
    const given = await api.request('/v1/open', { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const made = await api.request('/v1/open', { headers: { 'x-request-id': 'a b<script>' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/);
    expect(made.headers.get('x-content-type-options')).toBe('nosniff');
    expect(made.headers.get('cache-control')).toBe('no-store');
  });

  it('refuses a foreign origin and serves a listed one', async () => {
    const { api } = appFor([echo(), open()], { origins: ['https://console.example'] });
    const preflight = (origin: string) =>
      api.request('/v1/echo/x', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    expect((await preflight('https://evil.example')).status).toBe(403);
    const known = await preflight('https://console.example');
    expect(known.status).toBe(204);
    expect(known.headers.get('access-control-allow-origin')).toBe('https://console.example');
    const foreign = await api.request('/v1/open', { headers: { origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('sets every header before the answer exists: no middleware rebuilds it', async () => {
    const { api } = appFor([echo(), open()], { origins: ['https://console.example'] });
    const created = vi.spyOn(globalThis, 'Response');
    try {
      for (const request of [
        () => api.request('/v1/open', { headers: { origin: 'https://console.example' } }),
        () => post(api, valid, { 'idempotency-key': 'h' }),
        () => post(api, valid, { 'idempotency-key': 'h' }),
        () => post(api, {}),
        () => api.request('/v1/nothing'),
      ]) {
        created.mockClear();
        await request();
        expect(created).toHaveBeenCalledTimes(1);
      }
      const late = new Hono();
      late.use(async (c, next) => {
        await next();
        c.header('X-Late', 'rebuilt');
      });
      late.get('/', (c) => c.text('x'));
      created.mockClear();
      await late.request('/');
      expect(created.mock.calls.length, 'the measure itself').toBeGreaterThan(1);
    } finally {
      created.mockRestore();
    }
  });
});

describe('contract', () => {
  it('documents exactly the routes it serves', async () => {
    const document = (await openApiDocument([echo(), open()])) as {
      openapi: string;
      info: object;
      paths: Record<string, object>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'AIVillage Enhanced API', version: '3.0.0' });
    expect(Object.keys(document.paths)).toEqual(['/v1/echo/{name}', '/v1/open', '/ws']);
    const operation = document.paths['/v1/echo/{name}'] as {
      post: { responses: object; parameters: { name: string }[] };
    };
    expect(Object.keys(operation.post.responses)).toEqual([
      '201',
      '400',
      '401',
      '403',
      '409',
      '413',
      '422',
      '429',
      '500',
      '503',
    ]);
    expect(operation.post.parameters.map(({ name }) => name)).toEqual(['name', 'times', 'Idempotency-Key']);
  });

  it('R126: counts by route template, never by path', async () => {
    const { api, metrics } = appFor([echo(), open()]);
    await post(api, valid);
    await api.request('/v1/nothing/at/all');
    const text = await metrics.text();
    expect(text).toContain('endpoint="/v1/echo/{name}",method="POST",status="201"');
    expect(text).toContain('endpoint="unmatched"');
    expect(text).toContain('le="0.1"');
    expect(text).not.toContain('/v1/echo/x');
    expect((await metrics.summary()).requests).toBe(2);
  });

  it('serves a documentation page that names no other host', async () => {
    const { api } = appFor([open()]);
    const page = await api.request('/docs');
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.headers.get('content-security-policy')).not.toMatch(/https?:/);
    const [, script] = /<script src="([^"]+)"/.exec(html) ?? [];
    const served = await api.request(script as string);
    expect(served.headers.get('content-type')).toContain('text/javascript');
    expect((await served.text()).length).toBeGreaterThan(100_000);
  });
});
