import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Role } from '../../domain/subject/events.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { runCli } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createRest, expectProblem } from '../support/rest.ts';

const NOBODY = 'subject-00000000000000000000000000';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let api: ApiServer;
let admin: Caller;

interface Made {
  readonly subject_id: string;
  readonly roles: Role[];
  readonly key_id: string;
  readonly api_key: string;
  readonly position: string;
}

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
  store = createPostgresEventStore({ pool });
  api = await startApiServer({ databaseUrl: database.url, pool, store });
  admin = await api.enrol('admin');
});
afterAll(async () => {
  await api?.stop();
  await store?.close();
  await pool?.end();
  await database?.drop();
});

const create = async (...roles: Role[]): Promise<Made> => {
  const { status, body } = await admin.rest.post<Made>('/v1/subjects', { roles });
  expect(status).toBe(201);
  return body;
};

describe('principals over HTTP', () => {
  it('R165: an admin makes one, whose key signs it in to its roles and no others', async () => {
    const made = await create('operator', 'auditor');
    const { rest } = await api.signIn(made.api_key);
    expect((await rest.get('/v1/system/metrics')).status).toBe(200);
    expectProblem(await rest.post('/v1/subjects', { roles: ['admin'] }), {
      status: 403,
      code: 'AUTHORIZATION_FAILED',
    });
    const events = await admin.rest.get<{ events: { type: string; actor: string }[] }>(
      `/v1/events?stream=${made.subject_id}`,
    );
    expect(events.status).toBe(404);
    const own = await rest.get<{ events: object[] }>(`/v1/events?stream=${made.subject_id}`);
    expect(own.body.events).toMatchObject([{ type: 'subject.enrolled', actor: admin.id }]);
    expect(JSON.stringify(own.body)).not.toContain(made.api_key.split('.')[1]);
  });

  it('shows one to itself, admins and auditors, and all of them to admins and auditors', async () => {
    const made = await create('submitter');
    const self = (await api.signIn(made.api_key)).rest;
    const auditor = await api.enrol('auditor');
    const view = {
      subject_id: made.subject_id,
      roles: ['submitter'],
      keys: [{ key_id: made.key_id, kind: 'api-key', revoked_at: null }],
    };
    for (const reader of [self, admin.rest, auditor.rest]) {
      expect(await reader.get(`/v1/subjects/${made.subject_id}`)).toMatchObject({ status: 200, body: view });
    }
    expect((await self.get(`/v1/subjects/${admin.id}`)).status).toBe(404);
    expect((await self.get('/v1/subjects')).status).toBe(403);

    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: { subject_id: string }[]; next_cursor: string | null } = (
        await auditor.rest.get<typeof page>(`/v1/subjects?limit=2${cursor && `&cursor=${cursor}`}`)
      ).body;
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ subject_id }) => subject_id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen).toEqual(expect.arrayContaining([made.subject_id, admin.id, auditor.id]));
  });

  it('changes roles of those who are signed in, at once', async () => {
    const made = await create('submitter', 'operator');
    const { rest } = await api.signIn(made.api_key);
    expect((await rest.get('/v1/system/metrics')).status).toBe(200);
    const changed = await admin.rest.put(`/v1/subjects/${made.subject_id}/roles`, { roles: ['submitter'] });
    expect(changed).toMatchObject({ status: 200, body: { roles: ['submitter'] } });
    expect((await rest.get('/v1/system/metrics')).status).toBe(403);
  });

  it('replaces a key: the new one works before the old one ends', async () => {
    const made = await create('submitter');
    const added = await admin.rest.post<Made>(`/v1/subjects/${made.subject_id}/keys`, '');
    expect(added).toMatchObject({ status: 201, body: { subject_id: made.subject_id } });
    const byKey = (key: string) => createRest(api.url, { 'X-API-Key': key }).get('/v1/system/info');
    expect([(await byKey(made.api_key)).status, (await byKey(added.body.api_key)).status]).toEqual([
      200, 200,
    ]);
    const path = `/v1/subjects/${made.subject_id}/keys/${made.key_id}`;
    expect((await admin.rest.delete(path)).status).toBe(200);
    expect([(await byKey(made.api_key)).status, (await byKey(added.body.api_key)).status]).toEqual([
      401, 200,
    ]);
    expect(await admin.rest.delete(path)).toMatchObject({ status: 200, body: { position: '0' } });
  });

  it('gives roles to the key of somebody who made it', async () => {
    const public_key = 'ab'.repeat(32);
    const body = { roles: ['submitter'], public_key };
    const made = await admin.rest.post<Made>('/v1/subjects', body);
    expect(made).toMatchObject({ status: 201, body: { key_id: public_key, api_key: null } });
    const asked = await api.anybody.post('/v1/auth/token', { public_key, role: 'submitter' });
    expect(asked.status).toBe(200);
    expect((await admin.rest.post('/v1/subjects', { ...body, roles: ['admin'] })).status).toBe(409);
  });

  it('refuses what would lock everybody out, what nobody is, and what is no role', async () => {
    const own = `/v1/subjects/${admin.id}`;
    expectProblem(await admin.rest.put(`${own}/roles`, { roles: ['operator'] }), {
      status: 409,
      code: 'CONFLICT',
      errors: [{ field: 'roles', rule: 'with admin, for your own principal' }],
    });
    const [keyId] = admin.apiKey.split('.');
    expectProblem(await admin.rest.delete(`${own}/keys/${keyId}`), {
      status: 409,
      code: 'CONFLICT',
      errors: [{ field: 'key_id', rule: 'not your last key' }],
    });
    expect((await admin.rest.put(`/v1/subjects/${NOBODY}/roles`, { roles: ['auditor'] })).status).toBe(404);
    expect((await admin.rest.post(`/v1/subjects/${NOBODY}/keys`, '')).status).toBe(404);
    expect((await admin.rest.delete(`${own}/keys/aiv_${'0'.repeat(24)}`)).status).toBe(404);
    for (const roles of [[], ['engine'], ['emperor']]) {
      const { status, body } = await admin.rest.post<{ errors: { field: string }[] }>('/v1/subjects', {
        roles,
      });
      expect(status).toBe(422);
      expect(body.errors[0]?.field).toMatch(/^roles/);
    }
  });
});

describe('principals from the command line', () => {
  const cli = async (...args: string[]) => {
    const credentials = { api_url: api.url, api_key: admin.apiKey };
    await writeFile(join(api.home, 'credentials.json'), JSON.stringify(credentials), { mode: 0o600 });
    return runCli(api.home, ['subject', ...args]);
  };

  it('makes one, changes its roles, replaces its key, and lists what there is', async () => {
    const made = await cli('create', '--role', 'submitter', '--role', 'auditor', '--json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { subject_id: id, key_id: key, api_key: secret } = JSON.parse(made.stdout) as Made;
    expect((await api.signIn(secret)).token).toBeTruthy();
    expect((await cli('roles', id, '--role', 'provider')).stdout).toBe(`${id}  provider\n`);
    const added = await cli('add-key', id);
    const [, next = ''] = /shown only now: (aiv_\S+)/.exec(added.stdout) ?? [];
    expect((await api.signIn(next)).token).toBeTruthy();
    expect((await cli('revoke-key', id, key)).stdout).toBe(`revoked ${key} of ${id}\n`);
    const { stdout } = await cli('list');
    expect(stdout).toMatch(new RegExp(`^${id} +provider$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ +${key} +since .*, revoked `, 'm'));
    expect(stdout).not.toContain(secret);
  });

  it('ends with 2 on a refusal, naming field and rule', async () => {
    const refused = await cli('create', '--role', 'emperor');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('roles.0:');
    expect((await cli('roles', admin.id, '--role', 'submitter')).stderr).toContain('roles: with admin');
  });
});
