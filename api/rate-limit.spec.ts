import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Credentials } from '../infra/keys/credentials.ts';
import { appFor, knownCredentials } from '../test/support/api.ts';
import { createSignIn } from './auth/sign-in.ts';
import { defineRoute, respond } from './define-route.ts';
import { postToken } from './routes/auth/token.ts';

const open = defineRoute(
  {
    method: 'GET',
    path: '/v1/open',
    summary: 'Open',
    tag: 'test',
    access: 'open',
    responses: { 200: z.object({}) },
    errors: [],
  },
  async () => respond(200, {}),
);

/** Every key that begins with `fresh` is somebody of its own; the others are known or nobody's. */
const credentials: Credentials = {
  ...knownCredentials(),
  byApiKey: async (key) =>
    key.startsWith('fresh')
      ? { id: `subject-${key}`, roles: ['submitter'], premium: false }
      : knownCredentials().byApiKey(key),
};

const from = (address: string) => ({ incoming: { socket: { remoteAddress: address } } });

const api = (
  limits: Parameters<typeof appFor>[1] = {},
): ((path: string, init?: RequestInit, address?: string) => Promise<Response>) => {
  const signIn = createSignIn({
    credentials,
    tokens: { issue: async () => ({ token: 'a-token' }) } as never,
    challenges: undefined as never,
    enrolment: undefined as never,
    openRoles: ['provider'],
  });
  const app = appFor([open, postToken({ signIn })], { credentials, ...limits }).api;
  return async (path, init = {}, address = '192.0.2.1') => app.request(path, init, from(address));
};

describe('row 15: fresh keys', () => {
  it('bring no fresh allowance: a network has one together, another network its own, premium is counted alone', async () => {
    const ask = api({ limits: { authenticated: 3, network: 5 } });
    const as = (key: string, address?: string) => ask('/v1/open', { headers: { 'x-api-key': key } }, address);
    const all = [];
    for (let n = 0; n < 8; n++) all.push(await as(`fresh${n}`, `192.0.2.${n}`));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(all[4]?.headers.get('ratelimit-policy')).toBe('"authenticated";q=3;w=60');
    expect(all[5]?.headers.get('ratelimit-policy')).toBe('"network";q=5;w=60');
    expect(Number(all[5]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await as('fresh9', '198.51.100.1')).status).toBe(200);
    expect((await as('premium')).status).toBe(200);
  });

  it('of one IPv6 customer neither', async () => {
    const ask = api({ limits: { network: 1 } });
    const as = (key: string, address: string) => ask('/v1/open', { headers: { 'x-api-key': key } }, address);
    expect((await as('fresh1', '2001:db8::1')).status).toBe(200);
    expect((await as('fresh2', '2001:db8::ffff:1')).status).toBe(429);
    expect((await as('fresh3', '2001:db8:0:1::1')).status).toBe(200);
  });
});

describe('row 15: sign-in', () => {
  const signIn = (key: string) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ api_key: key }),
  });

  it('is counted apart from what else strangers ask', async () => {
    const ask = api({ limits: { anonymous: 2 } });
    for (const status of [200, 200, 429]) expect((await ask('/v1/open')).status).toBe(status);
    expect((await ask('/v1/auth/token', signIn('submitter'))).status).toBe(200);
  });

  it('of whom the engine knows goes on when strangers of its network have spent all, a few times a minute', async () => {
    const ask = api({ limits: { anonymous: 2 } });
    const attempts = [];
    for (let n = 0; n < 5; n++) attempts.push((await ask('/v1/auth/token', signIn(`guess-${n}`))).status);
    expect(attempts).toEqual([401, 401, 429, 429, 429]);
    const spared = [];
    for (let n = 0; n < 12; n++) spared.push((await ask('/v1/auth/token', signIn('submitter'))).status);
    expect(spared).toEqual([...new Array<number>(10).fill(200), 429, 429]);
    expect((await ask('/v1/auth/token', signIn('operator'))).status).toBe(200);
    // A key that nobody has enrolled yet waits.
    const unknown = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ public_key: '00'.repeat(32) });
    expect((await ask('/v1/auth/token', { ...unknown, body })).status).toBe(429);
  });
});

describe('row 15: behind a proxy', () => {
  it('callers are told apart by what a trusted proxy says, and by nothing that anybody else says', async () => {
    const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const trusting = api({ limits: { anonymous: 1 }, trusted: ['192.0.2.1'] });
    expect((await trusting('/v1/open', forwarded('203.0.113.1'))).status).toBe(200);
    expect((await trusting('/v1/open', forwarded('203.0.113.2'))).status).toBe(429);
    expect((await trusting('/v1/open', forwarded('198.51.100.2'))).status).toBe(200);
    const plain = api({ limits: { anonymous: 1 } });
    expect((await plain('/v1/open', forwarded('203.0.113.1'))).status).toBe(200);
    expect((await plain('/v1/open', forwarded('198.51.100.2'))).status).toBe(429);
  });
});
