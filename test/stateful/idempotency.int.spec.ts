import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { domainEventOf } from '../../domain/event.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { emptyLedger, foldLedger, total } from '../../domain/ledger/fold.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { IDEMPOTENT } from './folds.ts';

/** A share of what `idempotency.long.spec.ts` plays in memory. */
const SCHEDULES = 40;

let database: TestDatabase;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  store = createPostgresEventStore({ url: database.url });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

describe('stateful.idempotency', () => {
  test.each(IDEMPOTENT)(
    `$name: the same over PostgreSQL, in ${SCHEDULES} schedules over one log`,
    ({ check }) => check(() => store, SCHEDULES),
    300_000,
  );

  test('of all of it no money was made', async () => {
    const events = await store.readStream(LEDGER_STREAM);
    const ledger = foldLedger(
      emptyLedger,
      events.map((event) => domainEventOf<LedgerEvent>(event)),
    );
    expect(total(ledger)).toBe(0n);
  });
});
