import { expect, it } from 'vitest';
import { z } from 'zod';
import { appFor, knownCredentials } from '../test/support/api.ts';
import { createSignIn } from './auth/sign-in.ts';
import { defineRoute, respond } from './define-route.ts';
import { postToken } from './routes/auth/token.ts';

const thing = defineRoute(
  {
    method: 'POST',
    path: '/v1/things/{name}',
    summary: 'A thing',
    tag: 'test',
    access: ['submitter'],
    params: z.strictObject({ name: z.string() }),
    body: z.strictObject({ secret: z.string() }),
    responses: { 200: z.object({}) },
    errors: [],
  },
  async () => respond(200, {}),
);

interface Line {
  readonly event?: string;
  readonly endpoint?: string;
  readonly status_code?: number;
  readonly principal?: string | null;
  readonly network?: string;
  readonly code?: string;
}

it('the access log names who asked, who signed in, what was refused and why, and no secret', async () => {
  const lines: string[] = [];
  const signIn = createSignIn({
    credentials: knownCredentials(),
    tokens: { issue: async () => ({ token: 'the-token' }) } as never,
    challenges: undefined as never,
    enrolment: undefined as never,
    openRoles: [],
  });
  const { api } = appFor([thing, postToken({ signIn })], { log: (line) => void lines.push(line) });
  const peer = { incoming: { socket: { remoteAddress: '192.0.2.77' } } };
  const post = (path: string, body: object, key = '') =>
    api.request(
      path,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key && { 'x-api-key': key }) },
        body: JSON.stringify(body),
      },
      peer,
    );
  await post('/v1/things/a?token=in-the-query', { secret: 'in-the-body' }, 'submitter');
  await post('/v1/things/a', { secret: 'in-the-body' }, 'provider');
  await post('/v1/things/a', { secret: 'in-the-body' }, 'guessed-key');
  await post('/v1/things/a', { wrong: 'in-the-body' }, 'submitter');
  await post('/v1/auth/token', { api_key: 'submitter' });
  await post('/v1/auth/token', { api_key: 'guessed-key' });

  const said = lines.map((line) => JSON.parse(line) as Line).filter(({ event }) => event === 'api_request');
  expect(said.map(({ status_code, principal, code }) => [status_code, principal, code])).toEqual([
    [200, 'subject-submitter', undefined],
    [403, 'subject-provider', 'AUTHORIZATION_FAILED'],
    [401, null, 'AUTHENTICATION_FAILED'],
    [422, 'subject-submitter', 'INVALID_REQUEST'],
    [200, 'subject-submitter', undefined],
    [401, 'anonymous', 'AUTHENTICATION_FAILED'],
  ]);
  expect(said.map(({ endpoint }) => endpoint)).toEqual([
    ...new Array<string>(4).fill('/v1/things/{name}'),
    ...new Array<string>(2).fill('/v1/auth/token'),
  ]);
  expect(new Set(said.map(({ network }) => network))).toEqual(new Set(['192.0.2.0/24']));
  expect(lines.join('')).not.toMatch(/in-the-|guessed-key|the-token/);
});
