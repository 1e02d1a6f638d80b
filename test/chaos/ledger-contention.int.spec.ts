import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { domainEventOf } from '../../domain/event.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { emptyLedger, foldLedger, total } from '../../domain/ledger/fold.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const WRITER = fileURLToPath(new URL('./ledger-writer.ts', import.meta.url));
const LANES = 16;
const HOLDS = 40;
/** Holds of each process until both have met the other. */
const MEETING = 5 * LANES;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
});
afterAll(() => database?.drop());

/** A process that waits for the word to begin, and then the overtakings that each of its holds has seen. */
const writer = async (name: string) => {
  const child = spawn(process.execPath, [WRITER, database.url, name, `${LANES}`, `${HOLDS}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  return async (): Promise<number[]> => {
    child.stdin.write('go\n');
    const seen: number[] = [];
    for (let line = await lines.next(); !line.done; line = await lines.next()) seen.push(Number(line.value));
    return seen;
  };
};

const p = (share: number, values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? 0;

test('two processes share the ledger fairly: nobody is overtaken without end', async () => {
  const writers = [await writer('writer-a'), await writer('writer-b')];
  const seen = await Promise.all(writers.map((begin) => begin()));
  for (const overtaken of seen) {
    expect(overtaken).toHaveLength(LANES * HOLDS);
    // With 32 holds under way a fair one sees about as many pass; starved ones saw hundreds.
    const met = overtaken.slice(MEETING);
    expect(p(0.5, met)).toBeLessThan(2 * 2 * LANES);
    expect(p(1, met)).toBeLessThan(6 * 2 * LANES);
  }
  const pool = createPool(database.url, { name: 'check', max: 2 });
  const store = createPostgresEventStore({ pool });
  const events = (await store.readStream(LEDGER_STREAM)).map((event) => domainEventOf<LedgerEvent>(event));
  expect(events).toHaveLength(2 * (LANES * HOLDS + 1));
  expect(total(foldLedger(emptyLedger, events))).toBe(0n);
  await store.close();
  await pool.end();
});
