import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { createSigner } from '../keys/signer.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createPostgresArtifacts, isCountersigned } from './postgres.ts';

let database: TestDatabase;
let pool: Pool;
const signer = createSigner([new Uint8Array(32).fill(3)]);
const now = () => '2026-01-01T00:00:00.123Z';

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

describe('artefacts', () => {
  it('keeps bytes under their hash, countersigned', async () => {
    const bytes = new TextEncoder().encode('some input');
    const stored = await artifacts().put(bytes, 'subject-a', 'application/octet-stream');
    expect(stored).toMatchObject({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      owner: 'subject-a',
      size: 10,
      createdAt: now(),
    });
    expect(await artifacts().read(stored.sha256)).toEqual(Buffer.from(bytes));
    const found = await artifacts().find(stored.sha256);
    expect(found).toEqual(stored);
    expect(found && isCountersigned(signer, found)).toBe(true);
    expect(isCountersigned(signer, { ...stored, owner: 'subject-b' })).toBe(false);
    expect(isCountersigned(signer, { ...stored, size: 11 })).toBe(false);
  });

  it('shows them to those who stored them alone, and keeps the first owner', async () => {
    const bytes = new TextEncoder().encode('shared');
    const { sha256 } = await artifacts().put(bytes, 'subject-a', 'text/plain');
    expect(await artifacts().find(sha256, 'subject-b')).toBeNull();
    const again = await artifacts().put(bytes, 'subject-b', 'text/plain');
    expect(again.owner).toBe('subject-a');
    expect(await artifacts().find(sha256, 'subject-b')).not.toBeNull();
  });

  it('takes the empty input and parallel uploads', async () => {
    const empty = await artifacts().put(new Uint8Array(), 'subject-a', 'text/plain');
    expect(await artifacts().read(empty.sha256)).toHaveLength(0);
    const bytes = new TextEncoder().encode('parallel');
    const stored = await Promise.all(
      Array.from({ length: 6 }, (_, n) => artifacts().put(bytes, `subject-${n}`, 'text/plain')),
    );
    expect(new Set(stored.map(({ owner }) => owner)).size).toBe(1);
  });

  it('refuses more than 64 MiB and knows nothing unknown', async () => {
    await expect(artifacts().put(new Uint8Array(MAX_ARTIFACT_BYTES + 1), 'a', 'x')).rejects.toThrow(
      RangeError,
    );
    expect(await artifacts().find('0'.repeat(64))).toBeNull();
    expect(await artifacts().read('0'.repeat(64))).toBeNull();
  });
});
