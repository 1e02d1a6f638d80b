import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createTurns } from '../../infra/postgres/turns.ts';

/**
 * A process that holds money again and again, `lanes` at a time, and tells of each hold how many events entered the log
 * between its asking and its answer: one number a line. Arguments: connection string, name, lanes, holds per lane.
 */
const [url = '', name = '', lanes = '1', holds = '1'] = process.argv.slice(2);
const pool = createPool(url, { name, max: 8 });
const store = createPostgresEventStore({ pool });
const journal = createJournal({ store, turns: createTurns({ pool, name: 'ledger' }) });

const AT = '2026-01-01T00:00:00.000Z';

const hold = async (id: string): Promise<bigint> => {
  const context = { occurredAt: AT, actor: name, correlationId: id, causationId: id, traceparent: null };
  const before = (await store.head()).position;
  const entry = transfer('hold', account.available(name), account.escrow(id), toMicro(1n), id);
  const posted = await journal.post([entry], context);
  if (!posted.ok) throw new Error(posted.message);
  return BigInt(posted.position) - before;
};

const credit = transfer('credit', account.external, account.available(name), toMicro(1_000_000n), name);
await journal.post([credit], {
  occurredAt: AT,
  actor: name,
  correlationId: name,
  causationId: name,
  traceparent: null,
});
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
await Promise.all(
  Array.from({ length: Number(lanes) }, async (_, lane) => {
    for (let index = 0; index < Number(holds); index++)
      process.stdout.write(`${await hold(`${name}-${lane}-${index}`)}\n`);
  }),
);
await store.close();
await pool.end();
process.exit();
