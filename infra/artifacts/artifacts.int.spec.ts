import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createSigner } from '../keys/signer.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createEnclaveOutputs } from './enclave-outputs.ts';
import { createPostgresArtifacts } from './postgres.ts';
import { isCountersigned } from './references.ts';

let database: TestDatabase;
let pool: Pool;
const signer = createSigner([new Uint8Array(32).fill(3)]);
const now = () => '2026-01-01T00:00:00.123Z';
/** Of uploads, which are deleted by the database's clock. */
const present = () => new Date().toISOString();

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const artifacts = () => createPostgresArtifacts({ pool, signer, now });
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* sent(bytes: Uint8Array, pieceBytes = 65_536): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Uploads `bytes` for `owner`. */
const upload = async (store: ReturnType<typeof artifacts>, bytes: Uint8Array, owner: string) => {
  const received = await store.receive(sent(bytes), sha256Of(bytes));
  const kept = await received.keep(owner, 'application/octet-stream');
  await received.discard();
  return kept;
};

const rowsOf = async (table: string): Promise<number> => {
  const { rows } = await pool.query<{ count: string }>(`select count(*)::text as count from engine.${table}`);
  return Number(rows[0]?.count);
};

describe('artefacts', () => {
  it('keeps bytes under their hash, countersigned', async () => {
    const bytes = bytesOf('some input');
    const stored = await artifacts().put(bytes, 'subject-a', 'application/octet-stream');
    expect(stored).toMatchObject({
      sha256: sha256Of(bytes),
      owner: 'subject-a',
      size: 10,
      createdAt: now(),
      expiresAt: null,
    });
    expect(await artifacts().read(stored.sha256)).toEqual(Buffer.from(bytes));
    const found = await artifacts().find(stored.sha256, 'subject-a');
    expect(found).toEqual(stored);
    expect(found && isCountersigned(signer, found)).toBe(true);
    expect(isCountersigned(signer, { ...stored, owner: 'subject-b' })).toBe(false);
    expect(isCountersigned(signer, { ...stored, size: 11 })).toBe(false);
  });

  it('gives everybody who stores the same bytes a record of its own, which tells of nobody else', async () => {
    const bytes = bytesOf('shared');
    const first = createPostgresArtifacts({ pool, signer, now: () => '2025-05-05T05:05:05.555Z' });
    const { sha256 } = await first.put(bytes, 'subject-a', 'text/plain');
    expect(await artifacts().find(sha256, 'subject-b')).toBeNull();
    const again = await artifacts().put(bytes, 'subject-b', 'application/json');
    expect(again).toMatchObject({ owner: 'subject-b', createdAt: now(), mediaType: 'application/json' });
    expect(isCountersigned(signer, again)).toBe(true);
    const uploaded = await upload(artifacts(), bytes, 'subject-c');
    expect(uploaded).toMatchObject({ ok: true, value: { owner: 'subject-c', createdAt: now() } });
    expect(JSON.stringify([again, uploaded])).not.toMatch(/subject-a|2025/);
    expect(await artifacts().find(sha256, 'subject-a')).toMatchObject({ owner: 'subject-a' });
  });

  it('takes the empty input and parallel uploads', async () => {
    const empty = await artifacts().put(new Uint8Array(), 'subject-a', 'text/plain');
    expect(await artifacts().read(empty.sha256)).toHaveLength(0);
    const bytes = bytesOf('parallel');
    const contents = await rowsOf('contents');
    const stored = await Promise.all(
      Array.from({ length: 6 }, (_, n) => artifacts().put(bytes, `subject-${n}`, 'text/plain')),
    );
    expect(new Set(stored.map(({ owner }) => owner)).size).toBe(6);
    expect(await rowsOf('contents')).toBe(contents + 1);
  });

  it('refuses more than 64 MiB and knows nothing unknown', async () => {
    await expect(artifacts().put(new Uint8Array(MAX_ARTIFACT_BYTES + 1), 'a', 'x')).rejects.toThrow(
      RangeError,
    );
    expect(await artifacts().find('0'.repeat(64), 'subject-a')).toBeNull();
    expect(await artifacts().read('0'.repeat(64))).toBeNull();
    expect(await artifacts().chunks('0'.repeat(64))).toBeNull();
  });
});

describe('uploads', () => {
  it.each([0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024 + 77])(
    'come and go chunk by chunk: %i bytes',
    async (size) => {
      const bytes = randomBytes(size);
      const kept = await upload(artifacts(), bytes, 'subject-a');
      expect(kept).toMatchObject({ ok: true, value: { sha256: sha256Of(bytes), size } });
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await artifacts().chunks(sha256Of(bytes))) ?? []) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(Math.max(0, ...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(1024 * 1024);
      expect((await artifacts().read(sha256Of(bytes)))?.length).toBe(size);
    },
  );

  it('leave nothing when they break off, are not kept, or were there before', async () => {
    const before = await rowsOf('content_chunks');
    const breaking = async function* () {
      yield randomBytes(2 * 1024 * 1024);
      throw new Error('the caller went away');
    };
    await expect(artifacts().receive(breaking(), sha256Of(bytesOf('?')))).rejects.toThrow('went away');
    const refused = await artifacts().receive(sent(randomBytes(1_000)), sha256Of(bytesOf('?')));
    await refused.discard();
    const bytes = randomBytes(1_000);
    await upload(artifacts(), bytes, 'subject-a');
    await upload(artifacts(), bytes, 'subject-b');
    expect(await rowsOf('content_chunks')).toBe(before + 1);
  });

  it('are counted against what each principal may keep, sent at once or not', async () => {
    const store = createPostgresArtifacts({ pool, signer, now: present, quotaBytes: 2_500 });
    const all = Array.from({ length: 4 }, () => randomBytes(1_000));
    const outcomes = await Promise.all(all.map((bytes) => upload(store, bytes, 'subject-q')));
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2);
    const refused = outcomes.find(({ ok }) => !ok);
    expect(refused).toMatchObject({ code: 'CONFLICT', errors: [{ field: 'body' }] });
    // Others are not concerned, and neither is what one keeps already, or what the engine stores in one's name.
    expect(await upload(store, randomBytes(1_000), 'subject-r')).toMatchObject({ ok: true });
    const [first] = all.filter((_, index) => outcomes[index]?.ok) as [Buffer];
    expect(await upload(store, first, 'subject-q')).toMatchObject({ ok: true });
    expect((await store.put(randomBytes(9_000), 'subject-q', 'x')).size).toBe(9_000);
    expect(await store.remove(sha256Of(first), 'subject-q')).toBe('removed');
    expect(await upload(store, randomBytes(1_000), 'subject-q')).toMatchObject({ ok: true });
  });

  it('are deleted by their owner unless something uses them, and only for their owner', async () => {
    const store = artifacts();
    const bytes = randomBytes(100);
    const sha256 = sha256Of(bytes);
    await upload(store, bytes, 'subject-a');
    await upload(store, bytes, 'subject-b');
    expect(await store.remove(sha256, 'subject-c')).toBe('unknown');
    await store.use('subject-a', [sha256]);
    expect(await store.remove(sha256, 'subject-a')).toBe('used');
    expect(await store.remove(sha256, 'subject-b')).toBe('removed');
    await store.sweep();
    expect(await store.read(sha256)).not.toBeNull();
    expect(await store.find(sha256, 'subject-b')).toBeNull();
  });

  it('expire a week after they came, or 60 days after their last use, and their bytes with them', async () => {
    const store = createPostgresArtifacts({ pool, signer, now: present });
    const [idle, used, kept] = [randomBytes(10), randomBytes(10), randomBytes(10)];
    const days = async (bytes: Uint8Array) => {
      const { expiresAt } = (await store.find(sha256Of(bytes), 'subject-a')) ?? {};
      return Math.round((Date.parse(expiresAt ?? '') - Date.now()) / 86_400_000);
    };
    await upload(store, idle, 'subject-a');
    await upload(store, used, 'subject-a');
    await store.put(kept, 'subject-a', 'x');
    await store.use('subject-a', [sha256Of(used), sha256Of(kept)]);
    expect([await days(idle), await days(used), await days(kept)]).toEqual([7, 60, Number.NaN]);
    const later = (interval: string) =>
      pool.query(`update engine.artifact_references set expires_at = expires_at - interval '${interval}';
                  update engine.contents set begun_at = begun_at - interval '${interval}'`);
    await later('8 days');
    await store.sweep();
    const found = () => Promise.all([idle, used, kept].map((bytes) => store.read(sha256Of(bytes))));
    expect(await found()).toEqual([null, used, kept]);
    await later('60 days');
    await store.sweep();
    expect(await found()).toEqual([null, null, kept]);
    expect(await rowsOf('contents')).toBe(await rowsOf('artifacts'));
  });

  it('survive that the same bytes are swept away while they come', async () => {
    const store = createPostgresArtifacts({ pool, signer, now: present });
    const bytes = randomBytes(100);
    await upload(store, bytes, 'subject-a');
    const second = await store.receive(sent(bytes), sha256Of(bytes));
    await store.remove(sha256Of(bytes), 'subject-a');
    await store.sweep();
    expect(await second.keep('subject-b', 'x')).toMatchObject({ ok: false, code: 'RESOURCE_UNAVAILABLE' });
    expect(await upload(store, bytes, 'subject-b')).toMatchObject({ ok: true });
  });
});

it('an enclave has one output, told as often as it likes', async () => {
  const outputs = createEnclaveOutputs(pool);
  expect(await outputs.claim('enclave-1', 'a'.repeat(64))).toBe(true);
  expect(await outputs.claim('enclave-1', 'a'.repeat(64))).toBe(true);
  expect(await outputs.claim('enclave-1', 'b'.repeat(64))).toBe(false);
  expect(await outputs.claim('enclave-2', 'b'.repeat(64))).toBe(true);
});
