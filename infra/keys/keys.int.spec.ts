import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Role } from '../../domain/subject/events.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { followNews, type News } from '../postgres/news.ts';
import { createPool } from '../postgres/pool.ts';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { newApiKey, parseApiKey } from './api-key.ts';
import { CHALLENGE_TTL_SECONDS, createChallenges } from './challenges.ts';
import { type Credentials, createCredentials, PRINCIPALS_CHANGED } from './credentials.ts';
import { createEnrolment } from './enrolment.ts';
import { createNonces } from './nonces.ts';
import { createSealing, SealingKeyMissing } from './sealing.ts';
import { createSigner } from './signer.ts';
import { createSubjectStreams } from './subject-streams.ts';
import { createSubjects, type Keyed } from './subjects.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let tokens: AccessTokens;
let at: number;
const now = () => new Date(at).toISOString();

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(() => {
  at = Date.parse('2026-01-01T00:00:00.000Z');
  store = createMemoryEventStore();
  tokens = createAccessTokens({ signer: createSigner([new Uint8Array(32).fill(7)]), now, newId: () => 'id' });
});

const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const hex = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  return { hex, sign: (text: string) => sign(null, Buffer.from(text), privateKey) };
};
const enrolment = () => createEnrolment({ pool, store, now });
const credentials = () => createCredentials({ pool, tokens, now });

describe('enrolment', () => {
  it('makes a principal once, with one event', async () => {
    const apiKey = newApiKey();
    const first = await enrolment().enrolApiKey(apiKey, ['submitter', 'auditor']);
    at += 5000;
    const second = await enrolment().enrolApiKey(apiKey, ['auditor', 'submitter']);
    if (!first.ok) throw new Error(first.message);
    expect(second).toEqual({ ok: true, value: { ...first.value, position: null } });
    const events = await store.readStream(first.value.subjectId);
    expect(events.map(({ type }) => type)).toEqual(['subject.enrolled']);
    expect(events[0]?.data).toMatchObject({ roles: ['submitter', 'auditor'], credential: 'api-key' });
    expect(
      JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain(apiKey.split('.')[1]);
    expect(await credentials().exists(first.value.subjectId)).toBe(true);
  });

  it('completes an enrolment that was cut short after its event', async () => {
    const { hex } = keyPair();
    const made = await enrolment().enrolPublicKey(hex, ['provider']);
    await pool.query('delete from engine.credentials where credential_id = $1', [hex]);
    expect(await credentials().byPublicKey(hex)).toBeNull();
    expect(await enrolment().enrolPublicKey(hex, ['provider'])).toEqual({
      ok: true,
      value: { ...(made.ok && made.value), position: null },
    });
    expect(await credentials().byPublicKey(hex)).toMatchObject({ roles: ['provider'] });
  });

  it('enrols concurrently to one principal', async () => {
    const { hex } = keyPair();
    const made = await Promise.all(
      Array.from({ length: 8 }, () => enrolment().enrolPublicKey(hex, ['provider'])),
    );
    expect(new Set(made.map((each) => each.ok && each.value.subjectId)).size).toBe(1);
  });

  it('refuses other roles for a known credential, no roles, and the role engine', async () => {
    const { hex } = keyPair();
    await enrolment().enrolPublicKey(hex, ['provider']);
    expect(await enrolment().enrolPublicKey(hex, ['admin'])).toMatchObject({ ok: false, code: 'CONFLICT' });
    expect(await enrolment().enrolPublicKey(keyPair().hex, [])).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await enrolment().enrolPublicKey(keyPair().hex, ['engine'])).toMatchObject({
      code: 'AUTHORIZATION_FAILED',
    });
    expect(await enrolment().enrolApiKey('aiv_x.y', ['admin'])).toMatchObject({
      errors: [{ field: 'api_key' }],
    });
  });
});

describe('credentials', () => {
  it('knows an API key by its hash alone', async () => {
    const apiKey = newApiKey();
    await enrolment().enrolApiKey(apiKey, ['submitter']);
    const found = await credentials().byApiKey(apiKey);
    expect(found).toMatchObject({ roles: ['submitter'], premium: false });
    const { rows } = await pool.query('select * from engine.credentials where credential_id = $1', [
      parseApiKey(apiKey)?.id,
    ]);
    expect(JSON.stringify(rows)).not.toContain(apiKey.split('.')[1]);
    const [id] = apiKey.split('.');
    expect(await credentials().byApiKey(`${id}.${newApiKey().split('.')[1]}`)).toBeNull();
    expect(await credentials().byApiKey(newApiKey())).toBeNull();
    expect(await credentials().byApiKey('nonsense')).toBeNull();
  });

  it('knows no disabled principal, tokens included', async () => {
    const apiKey = newApiKey();
    const made = await enrolment().enrolApiKey(apiKey, ['submitter']);
    if (!made.ok) throw new Error(made.message);
    const { token } = await tokens.issue(made.value.subjectId, ['submitter']);
    const service = credentials();
    expect(await service.byApiKey(apiKey)).not.toBeNull();
    expect(await service.byToken(token)).not.toBeNull();
    await service.disable(made.value.subjectId);
    expect(await service.byApiKey(apiKey)).toBeNull();
    expect(await service.byToken(token)).toBeNull();
  });

  it('knows no token of somebody who was never enrolled', async () => {
    const { token } = await tokens.issue('subject-nobody', ['admin']);
    expect(await credentials().byToken(token)).toBeNull();
  });
});

describe('credentials in several processes', () => {
  const following: News[] = [];
  afterEach(async () => {
    for (const news of following.splice(0)) await news.close();
  });

  /** The credentials of one process, on a clock that stands still unless it is moved: nothing ends by itself. */
  const process = async (verifying: Pool = pool) => {
    const clock = { ms: 0 };
    const monotonic = () => clock.ms;
    const changes = followNews({
      pool,
      channel: PRINCIPALS_CHANGED,
      onFault: () => undefined,
      monotonic,
    });
    following.push(changes);
    const known = createCredentials({ pool: verifying, tokens, now, changes, monotonic });
    await expect.poll(() => changes.asOf()).toBe(0);
    return { known, changes, clock };
  };
  let commands = 0;
  const caller = () => ({ actor: 'subject-admin', commandId: `command-fleet-${++commands}` });
  const admin = (known: Credentials) =>
    createSubjects({
      pool,
      streams: createSubjectStreams({ store, now }),
      enrolment: enrolment(),
      credentials: known,
    });
  const enrolled = async (roles: readonly Role[]) => {
    const apiKey = newApiKey();
    const made = await enrolment().enrolApiKey(apiKey, roles);
    if (!made.ok) throw new Error(made.message);
    const { subjectId } = made.value;
    return { apiKey, subjectId, token: (await tokens.issue(subjectId, roles)).token };
  };
  const PATIENCE = { timeout: 30_000, interval: 10 };

  it('a role that one process withdraws ends in the other, by news alone', async () => {
    const [here, there] = [await process(), await process()];
    const { apiKey, subjectId, token } = await enrolled(['submitter', 'auditor']);
    for (const { known } of [here, there]) expect((await known.byToken(token))?.roles).toHaveLength(2);
    expect((await there.known.byApiKey(apiKey))?.roles).toHaveLength(2);
    await admin(here.known).changeRoles(subjectId, ['auditor'], caller());
    expect((await here.known.byToken(token))?.roles).toEqual(['auditor']);
    const roles = async () => [
      (await there.known.byToken(token))?.roles,
      (await there.known.byApiKey(apiKey))?.roles,
    ];
    await expect.poll(roles, PATIENCE).toEqual([['auditor'], ['auditor']]);
  });

  it('a new key counts at once, a revoked key and a disabled principal end in the other process', async () => {
    const [here, there] = [await process(), await process()];
    const { apiKey, subjectId, token } = await enrolled(['submitter']);
    const [keyId] = (await admin(here.known).find(subjectId))?.keys ?? [];
    expect(await there.known.byApiKey(apiKey)).not.toBeNull();
    const added = await admin(here.known).addKey(subjectId, caller());
    const second = (added.ok && added.value.apiKey) || '';
    expect(await there.known.byApiKey(second)).toMatchObject({ id: subjectId });
    await admin(here.known).revokeKey(subjectId, keyId?.keyId ?? '', caller());
    await expect.poll(() => there.known.byApiKey(apiKey), PATIENCE).toBeNull();
    expect(await there.known.byToken(token)).not.toBeNull();
    await here.known.disable(subjectId);
    await expect.poll(() => there.known.byToken(token), PATIENCE).toBeNull();
    expect(await there.known.byApiKey(second)).toBeNull();
  });

  it('without news, no verdict counts for longer than a second', async () => {
    const there = await process();
    const { subjectId, token } = await enrolled(['submitter', 'auditor']);
    expect((await there.known.byToken(token))?.roles).toHaveLength(2);
    await there.changes.close();
    await pool.query(`update engine.principals set roles = '{auditor}' where principal_id = $1`, [subjectId]);
    expect((await there.known.byToken(token))?.roles).toHaveLength(2);
    there.clock.ms = 1001;
    expect((await there.known.byToken(token))?.roles).toEqual(['auditor']);
  });

  it('a verdict that was being made when the change came is not remembered', async () => {
    const read = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = Object.create(pool) as Pool;
    slow.query = (async (text: string, values: unknown[]) => {
      const result = await pool.query(text, values);
      read.resolve();
      await gate.promise;
      return result;
    }) as unknown as Pool['query'];
    const there = await process(slow);
    const { subjectId, token } = await enrolled(['submitter', 'auditor']);
    const verdict = there.known.byToken(token);
    await read.promise;
    const { promise: told, resolve } = Promise.withResolvers<void>();
    there.changes.onNews(resolve);
    await pool.query(`update engine.principals set roles = '{auditor}' where principal_id = $1`, [subjectId]);
    await told;
    gate.resolve();
    await verdict;
    expect((await there.known.byToken(token))?.roles).toEqual(['auditor']);
  });
});

describe('subjects', () => {
  const admin = () => ({ actor: 'subject-admin', commandId: `command-${randomBytes(8).toString('hex')}` });
  const service = () => {
    const known = credentials();
    const streams = createSubjectStreams({ store, now });
    return {
      known,
      subjects: createSubjects({ pool, streams, enrolment: enrolment(), credentials: known }),
    };
  };
  type Service = ReturnType<typeof service>['subjects'];
  const created = async (subjects: Service, ...roles: Role[]): Promise<Keyed & { apiKey: string }> => {
    const made = await subjects.create(roles, null, admin());
    if (!made.ok || made.value.apiKey === null) throw new Error('no API key');
    return { ...made.value, apiKey: made.value.apiKey };
  };

  it('gives a new principal a key that is told once, and says who did it', async () => {
    const { subjects, known } = service();
    const made = await created(subjects, 'submitter', 'auditor');
    expect(await known.byApiKey(made.apiKey)).toMatchObject({
      id: made.subjectId,
      roles: ['submitter', 'auditor'],
    });
    const [event] = await store.readStream(made.subjectId);
    expect(event).toMatchObject({ type: 'subject.enrolled', actor: 'subject-admin' });
    const shown = await subjects.find(made.subjectId);
    expect(shown).toMatchObject({
      roles: ['submitter', 'auditor'],
      keys: [{ keyId: made.keyId, kind: 'api-key', revokedAt: null }],
    });
    expect(JSON.stringify(shown)).not.toContain(made.apiKey.split('.')[1]);
  });

  it('knows a principal by its own public key', async () => {
    const { subjects, known } = service();
    const { hex } = keyPair();
    const made = await subjects.create(['provider'], hex, admin());
    expect(made).toMatchObject({ ok: true, value: { keyId: hex, apiKey: null } });
    expect(await known.byPublicKey(hex)).toMatchObject({ roles: ['provider'] });
  });

  it('changes roles at once: a token loses what was withdrawn and gains nothing', async () => {
    const { subjects, known } = service();
    const { subjectId, apiKey } = await created(subjects, 'submitter', 'auditor');
    const { token } = await tokens.issue(subjectId, ['submitter', 'auditor']);
    expect(await known.byToken(token)).toMatchObject({ roles: ['submitter', 'auditor'] });
    expect(await known.byApiKey(apiKey)).not.toBeNull();
    const changed = await subjects.changeRoles(subjectId, ['operator', 'auditor'], admin());
    expect(changed).toMatchObject({ ok: true, value: { roles: ['operator', 'auditor'] } });
    expect(await known.byToken(token)).toMatchObject({ roles: ['auditor'] });
    expect(await known.byApiKey(apiKey)).toMatchObject({ roles: ['operator', 'auditor'] });
    // A restart of a local stack enrols its principals again: what changed meanwhile stays.
    expect(await enrolment().enrolApiKey(apiKey, ['submitter', 'auditor'])).toMatchObject({
      value: { subjectId, roles: ['operator', 'auditor'], position: null },
    });
    expect(await known.byApiKey(apiKey)).toMatchObject({ roles: ['operator', 'auditor'] });
  });

  it('replaces a key without a gap; tokens end with the last key', async () => {
    const { subjects, known } = service();
    const first = await created(subjects, 'submitter');
    const { token } = await tokens.issue(first.subjectId, ['submitter']);
    const second = await subjects.addKey(first.subjectId, admin());
    if (!second.ok) throw new Error(second.message);
    expect(await known.byApiKey(second.value.apiKey ?? '')).toMatchObject({ id: first.subjectId });
    await subjects.revokeKey(first.subjectId, first.keyId, admin());
    expect(await known.byApiKey(first.apiKey)).toBeNull();
    expect(await known.byToken(token)).not.toBeNull();
    expect(await subjects.revokeKey(first.subjectId, first.keyId, admin())).toMatchObject({
      value: { position: null },
    });
    await subjects.revokeKey(first.subjectId, second.value.keyId, admin());
    expect(await known.byToken(token)).toBeNull();
    // Enrolling it again does not bring the key back.
    await enrolment().enrolApiKey(first.apiKey, ['submitter']);
    expect(await known.byApiKey(first.apiKey)).toBeNull();
  });

  it('leaves the newest roles in the rows, however many change them at once', async () => {
    const { subjects } = service();
    const { subjectId } = await created(subjects, 'submitter');
    const choices: Role[][] = [['provider'], ['auditor'], ['operator'], ['submitter', 'auditor'], ['admin']];
    await Promise.all(choices.map((roles) => subjects.changeRoles(subjectId, roles, admin())));
    const last = (await store.readStream(subjectId)).at(-1);
    expect((await subjects.find(subjectId))?.roles).toEqual(last?.data['roles']);
  });

  it('completes a revocation that was cut short after its event', async () => {
    const { subjects, known } = service();
    const { subjectId, keyId, apiKey } = await created(subjects, 'submitter');
    await subjects.revokeKey(subjectId, keyId, admin());
    await pool.query('update engine.credentials set revoked_at = null where credential_id = $1', [keyId]);
    expect(await known.byApiKey(apiKey)).not.toBeNull();
    await subjects.revokeKey(subjectId, keyId, admin());
    expect(await known.byApiKey(apiKey)).toBeNull();
  });

  it('lists page by page, and refuses what is not there', async () => {
    const { subjects } = service();
    await created(subjects, 'submitter');
    await created(subjects, 'provider');
    const [first, second] = await subjects.list({ limit: 2 });
    expect(await subjects.list({ limit: 1, cursor: first?.subjectId })).toEqual([second]);
    expect(await subjects.find('subject-nobody')).toBeNull();
    for (const refused of [
      await subjects.addKey('subject-nobody', admin()),
      await subjects.changeRoles('subject-nobody', ['admin'], admin()),
      await subjects.revokeKey('subject-nobody', 'aiv_0', admin()),
    ]) {
      expect(refused).toMatchObject({ ok: false, code: 'RESOURCE_NOT_FOUND' });
    }
    expect(await subjects.find('subject-nobody')).toBeNull();
  });
});

describe('challenges', () => {
  const challenges = () => createChallenges({ pool, now });

  it('J1: is answered once, by its own key', async () => {
    const [mine, other] = [keyPair(), keyPair()];
    const { challenge } = await challenges().issue(mine.hex, 'provider');
    const answer = { publicKey: mine.hex, challenge, signature: mine.sign(challenge) };
    expect(await challenges().redeem({ ...answer, signature: other.sign(challenge) })).toBeNull();
    expect(
      await challenges().redeem({ publicKey: other.hex, challenge, signature: other.sign(challenge) }),
    ).toBeNull();
    expect(await challenges().redeem(answer)).toEqual({ role: 'provider' });
    expect(await challenges().redeem(answer)).toBeNull();
  });

  it('J1: expires', async () => {
    const { hex, sign: by } = keyPair();
    const { challenge } = await challenges().issue(hex, null);
    at += CHALLENGE_TTL_SECONDS * 1000;
    expect(await challenges().redeem({ publicKey: hex, challenge, signature: by(challenge) })).toBeNull();
  });

  it('lets one of many parallel answers through', async () => {
    const { hex, sign: by } = keyPair();
    const { challenge } = await challenges().issue(hex, null);
    const answer = { publicKey: hex, challenge, signature: by(challenge) };
    const results = await Promise.all(Array.from({ length: 6 }, () => challenges().redeem(answer)));
    expect(results.filter(Boolean)).toHaveLength(1);
  });
});

describe('sealing', () => {
  const masterKey = new Uint8Array(32).fill(9);
  const sealing = () => createSealing({ pool, masterKey });

  it('opens what it sealed, in the same context alone', async () => {
    await sealing().createKey('k1');
    await sealing().createKey('k1');
    await sealing().createKey('k2');
    const box = await sealing().seal('k1', 'price 5', 'auction|bid');
    expect(await sealing().open('k1', box, 'auction|bid')).toBe('price 5');
    expect(await sealing().open('k1', box, 'auction|other')).toBeNull();
    expect(await sealing().open('k2', box, 'auction|bid')).toBeNull();
    expect(await sealing().open('k1', box.slice(4), 'auction|bid')).toBeNull();
    expect(await sealing().open('k1', 'AAAA', 'auction|bid')).toBeNull();
    expect(await sealing().seal('k1', 'price 5', 'auction|bid')).not.toBe(box);
  });

  it('destroys a key for good', async () => {
    await sealing().createKey('gone');
    const box = await sealing().seal('gone', 'secret', 'c');
    await sealing().destroyKey('gone');
    await sealing().destroyKey('gone');
    await sealing().createKey('gone');
    expect(await sealing().open('gone', box, 'c')).toBeNull();
    await expect(sealing().seal('gone', 'secret', 'c')).rejects.toThrow(SealingKeyMissing);
  });

  it('keeps keys wrapped: another master key opens nothing and says so', async () => {
    await sealing().createKey('wrapped');
    const other = createSealing({ pool, masterKey: new Uint8Array(32).fill(8) });
    await expect(other.seal('wrapped', 'x', 'c')).rejects.toThrow('another master key');
  });
});

describe('nonces', () => {
  it('R41: takes a nonce for one purpose', async () => {
    const nonces = createNonces(pool);
    expect(await nonces.use('n1', 'enclave-a')).toBe(true);
    // Asked again by the same command, after a crash.
    expect(await nonces.use('n1', 'enclave-a')).toBe(true);
    expect(await nonces.use('n1', 'enclave-b')).toBe(false);
    expect([await nonces.isUsed('n1'), await nonces.isUsed('n2')]).toEqual([true, false]);
  });
});
