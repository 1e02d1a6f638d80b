import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Quote } from '../../domain/auction/quote.ts';
import { toMicro } from '../../domain/money.ts';
import { ACCESS_AUDIENCE, ACCESS_TTL_SECONDS, createAccessTokens, ISSUER } from './access-tokens.ts';
import { createQuoteTokens } from './quote-tokens.ts';
import { createSigner } from './signer.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const seed = (byte: number) => new Uint8Array(32).fill(byte);

let at = START;
const now = () => new Date(at).toISOString();
const signer = createSigner([seed(1)]);
const tokens = createAccessTokens({ signer, now, newId: () => 'id' });
const quotes = createQuoteTokens({ signer, now });

beforeEach(() => {
  at = START;
});

const quote: Quote = {
  ulid: '01J00000000000000000000000',
  h200Hours: '0.888889',
  tRef: 900,
  tier: 'gold',
  tierTableVersion: 1,
  rateMicro: toMicro('1000000'),
  ceiling: toMicro('888889'),
  winners: 3,
  maximumTotal: toMicro('2666667'),
  privacy: 0.8,
  inputs: { tier: 'gold', requiredTops: 500, utilization: 0.8, durationSeconds: 7200 },
  issuedTo: 'subject-a',
  expiresAt: '2026-01-01T00:15:00.000Z',
};

/** An access token with everything right but what the test changes. */
const forged = (change: {
  key?: ReturnType<typeof generateKeyPairSync>['privateKey'];
  kid?: string;
  issuer?: string;
  audience?: string;
  typ?: string;
  roles?: unknown;
}) =>
  new SignJWT({ roles: change.roles ?? ['admin'] })
    .setProtectedHeader({ alg: 'EdDSA', kid: change.kid ?? signer.kid, typ: change.typ ?? 'at+jwt' })
    .setIssuer(change.issuer ?? ISSUER)
    .setAudience(change.audience ?? ACCESS_AUDIENCE)
    .setSubject('subject-a')
    .setJti('id')
    .setIssuedAt(new Date(at))
    .setExpirationTime(new Date(at + 60_000))
    .sign(change.key ?? signer.privateKey);

describe('access tokens', () => {
  it('carries subject and roles until it expires', async () => {
    const { token, expiresAt } = await tokens.issue('subject-a', ['submitter', 'auditor']);
    expect(await tokens.verify(token)).toEqual({
      subject: 'subject-a',
      roles: ['submitter', 'auditor'],
      expiresAt,
    });
    at += ACCESS_TTL_SECONDS * 1000 - 1;
    expect(await tokens.verify(token)).not.toBeNull();
    at += 1001;
    expect(await tokens.verify(token)).toBeNull();
  });

  it('accepts what the forger makes with nothing changed', async () => {
    expect(await tokens.verify(await forged({}))).not.toBeNull();
  });

  it.each([
    ['another key under our kid', { key: generateKeyPairSync('ed25519').privateKey }],
    ['an unknown kid', { kid: 'unknown' }],
    ['another issuer', { issuer: 'elsewhere' }],
    ['another audience', { audience: 'aivillage-quotes' }],
    ['another type', { typ: 'JWT' }],
    ['roles that do not exist', { roles: ['root'] }],
    ['roles that are no list', { roles: 'admin' }],
  ])('refuses %s', async (_name, change) => {
    expect(await tokens.verify(await forged(change))).toBeNull();
  });

  it('refuses alg none', async () => {
    const token = new UnsecuredJWT({ roles: ['admin'] })
      .setIssuer(ISSUER)
      .setAudience(ACCESS_AUDIENCE)
      .setSubject('subject-a')
      .setJti('id')
      .setIssuedAt(new Date(at))
      .setExpirationTime(new Date(at + 60_000))
      .encode();
    expect(await tokens.verify(token)).toBeNull();
  });

  it('refuses HMAC under the public key', async () => {
    const [, payload] = (await forged({})).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: signer.kid, typ: 'at+jwt' })).toString(
      'base64url',
    );
    const [jwk] = signer.jwks().keys;
    for (const secret of [jwk?.x ?? '', Buffer.from(jwk?.x ?? '', 'base64url')]) {
      const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
      expect(await tokens.verify(`${header}.${payload}.${mac}`)).toBeNull();
    }
  });

  it('refuses a changed signature, payload or form', async () => {
    const token = await forged({});
    const [header, payload, signature = ''] = token.split('.');
    const flipped = Buffer.from(signature, 'base64url');
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    expect(await tokens.verify(`${header}.${payload}.${flipped.toString('base64url')}`)).toBeNull();
    const other = Buffer.from(JSON.stringify({ sub: 'subject-b', roles: ['admin'] })).toString('base64url');
    expect(await tokens.verify(`${header}.${other}.${signature}`)).toBeNull();
    for (const text of ['', 'x', 'a.b.c', `${token}.x`]) expect(await tokens.verify(text)).toBeNull();
  });

  it('keeps tokens valid over a rotation of keys, and drops them with the old key', async () => {
    const { token } = await tokens.issue('subject-a', ['submitter']);
    const rotated = createAccessTokens({ signer: createSigner([seed(2), seed(1)]), now, newId: () => 'id' });
    expect(await rotated.verify(token)).not.toBeNull();
    const dropped = createAccessTokens({ signer: createSigner([seed(2)]), now, newId: () => 'id' });
    expect(await dropped.verify(token)).toBeNull();
  });
});

describe('quote tokens', () => {
  it('is an access token to nobody, and an access token is no quote', async () => {
    const token = await quotes.sign(quote);
    expect(await tokens.verify(token)).toBeNull();
    const access = (await tokens.issue('subject-a', ['submitter'])).token;
    expect(await quotes.open(access, 'subject-a')).toMatchObject({ ok: false, code: 'RESOURCE_NOT_FOUND' });
  });

  it('opens for its holder alone, until it expires (409)', async () => {
    const token = await quotes.sign(quote);
    expect(await quotes.open(token, 'subject-a')).toEqual({ ok: true, value: quote });
    expect(await quotes.open(token, 'subject-b')).toMatchObject({ ok: false, code: 'RESOURCE_NOT_FOUND' });
    at = Date.parse('2026-01-01T00:15:00.000Z');
    expect(await quotes.open(token, 'subject-a')).toMatchObject({ ok: false, code: 'CONFLICT' });
    expect(await quotes.open('nonsense', 'subject-a')).toMatchObject({
      ok: false,
      code: 'RESOURCE_NOT_FOUND',
    });
  });
});

describe('signer', () => {
  it('keeps signatures of one domain out of another', () => {
    const signature = signer.sign('a', 'message');
    expect(signer.verify('a', 'message', signature)).toBe(true);
    expect(signer.verify('b', 'message', signature)).toBe(false);
    expect(signer.verify('a', 'other', signature)).toBe(false);
    expect(signer.verify('a', 'message', signature.slice(1))).toBe(false);
    expect(signer.verify('a', 'message', 'x')).toBe(false);
  });

  it('publishes public parts only', () => {
    expect(JSON.stringify(signer.jwks())).not.toContain('"d"');
    expect(signer.jwks().keys).toHaveLength(1);
  });
});
