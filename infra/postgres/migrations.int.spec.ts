import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import { sampleAppend, sampleEvent } from '../../test/contract/events.ts';
import { createTestDatabase } from '../../test/support/postgres.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
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
