import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import { sampleAppend, sampleEvent } from '../../test/contract/events.ts';
import { createTestDatabase } from '../../test/support/postgres.ts';
import { createPostgresArtifacts } from '../artifacts/postgres.ts';
import { isCountersigned } from '../artifacts/references.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createSigner } from '../keys/signer.ts';
import { migrate } from './migrate.ts';
import { createPool } from './pool.ts';

test('0012: finds the commands of a log that was written before it knew them', async () => {
  const database = await createTestDatabase();
  await migrate(database.url);
  const pool = createPool(database.url, { name: 'test-migrations', max: 2 });
  const store = createPostgresEventStore({ pool });
  try {
    const causes = ['command-a', 'command-a', 'sample-1@1', 'command-b', 'command-a'];
    const events = causes.map((causationId) => sampleEvent({}, { causationId }));
    await store.append({ stream: 'sample-1', expectedRevision: NO_STREAM, events });
    await store.append(sampleAppend('sample-2', NO_STREAM));

    const file = join(import.meta.dirname, 'migrations', '0012_commands.sql');
    const [, backfill] = /(with caused as [^;]+;)/.exec(await readFile(file, 'utf8')) ?? [];
    await pool.query(backfill ?? '');

    const found = await store.findCommands('sample-1', ['command-a', 'command-b', 'sample-1@1']);
    expect(found).toMatchObject([
      // What it caused later, as a log that decided twice has it, is not its first outcome.
      { commandId: 'command-a', revision: 1n, position: 2n, events: [{ revision: 0n }, { revision: 1n }] },
      { commandId: 'command-b', revision: 3n, position: 4n, events: [{ revision: 3n }] },
    ]);
    expect(await store.findCommands('sample-2', ['command-1'])).toMatchObject([
      { revision: 0n, position: 6n },
    ]);
  } finally {
    await store.close();
    await pool.end();
    await database.drop();
  }
});

test('0018: keeps what was stored before, for everybody who could read it', async () => {
  const database = await createTestDatabase();
  await migrate(database.url);
  const pool = createPool(database.url, { name: 'test-migrations', max: 2 });
  const run = async (name: string) =>
    pool.query(await readFile(join(import.meta.dirname, 'migrations', name), 'utf8'));
  try {
    await pool.query(`drop table engine.enclave_outputs, engine.artifact_references, engine.metered_modules,
                                 engine.artifacts, engine.content_chunks, engine.contents`);
    await run('0004_artifacts.sql');
    await run('0017_metering.sql');
    const signer = createSigner([new Uint8Array(32).fill(3)]);
    const stored = [new Uint8Array(), new Uint8Array([1, 2, 3]), randomBytes(2_500_000)];
    const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    for (const bytes of stored) {
      await pool.query(
        `insert into engine.artifacts values ($1, $2, $3, 'text/plain', 'subject-a', 'kid.s', '2026-01-01T00:00:00Z')`,
        [sha256Of(bytes), bytes, bytes.length],
      );
      await pool.query(`insert into engine.artifact_readers select $1, unnest($2::text[])`, [
        sha256Of(bytes),
        ['subject-a', 'subject-b'],
      ]);
    }
    await run('0018_artifact_references.sql');

    const artifacts = createPostgresArtifacts({ pool, signer, now: () => '2026-02-01T00:00:00.000Z' });
    await artifacts.sweep();
    for (const bytes of stored) {
      const sha256 = sha256Of(bytes);
      expect((await artifacts.read(sha256))?.length).toBe(bytes.length);
      expect(sha256Of((await artifacts.read(sha256)) as Uint8Array)).toBe(sha256);
      const facts = { sha256, size: bytes.length, mediaType: 'text/plain', expiresAt: null };
      expect(await artifacts.find(sha256, 'subject-a')).toMatchObject({ ...facts, signature: 'kid.s' });
      const other = await artifacts.find(sha256, 'subject-b');
      expect(other).toMatchObject({ ...facts, owner: 'subject-b', createdAt: '2026-01-01T00:00:00.000Z' });
      expect(other && isCountersigned(signer, other)).toBe(true);
    }
  } finally {
    await pool.end();
    await database.drop();
  }
});
