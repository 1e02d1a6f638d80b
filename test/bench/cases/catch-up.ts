import pg from 'pg';
import type { RecordedEvent } from '../../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { createPool } from '../../../infra/postgres/pool.ts';
import type { Projection } from '../../../projections/projection.ts';
import { createRunner } from '../../../projections/runner.ts';
import type { Case } from '../harness.ts';
import { bids } from './events.ts';
import type { RawLog } from './raw-log.ts';

const STREAMS = 200;
const EVENTS_PER_STREAM = 100;
const EVENTS = STREAMS * EVENTS_PER_STREAM;
const PAGE = 1_000;

interface Totals {
  readonly stream: string;
  bids: number;
  deposits: number;
}

type BidEvent = Pick<RecordedEvent, 'stream'> & { readonly data: { readonly deposit?: unknown } };

/** The fold of both sides: bids and deposits per auction. */
const totalsOf = (events: readonly BidEvent[]): Totals[] => {
  const totals = new Map<string, Totals>();
  for (const { stream, data } of events) {
    const row = totals.get(stream) ?? { stream, bids: 0, deposits: 0 };
    row.bids += 1;
    row.deposits += Number(data.deposit);
    totals.set(stream, row);
  }
  return [...totals.values()];
};

const tableText = (name: string): string =>
  `create table ${name} (stream text primary key, bids integer not null, deposits bigint not null)`;

const upsertText = (name: string): string => `
  insert into ${name} as target (stream, bids, deposits)
  select stream, bids, deposits from json_to_recordset($1::json) as row(stream text, bids integer, deposits bigint)
  on conflict (stream) do update set bids = target.bids + excluded.bids, deposits = target.deposits + excluded.deposits`;

const totalsProjection = (name: string): Projection<null, Totals[]> => ({
  name,
  version: 1,
  handles: ['auction.bid-placed'],
  tables: [name],
  ddl: (names) => tableText(names(name)),
  keyOf: ({ stream }) => stream,
  load: () => Promise.resolve(null),
  fold: totalsOf,
  apply: async (session, rows, names) => {
    await session.query(upsertText(names(name)), [JSON.stringify(rows)]);
  },
});

/** What one would write by hand: read a page, fold it, one upsert, the checkpoint, one transaction. */
const plainLoop = async (client: pg.ClientBase, table: string): Promise<void> => {
  await client.query(tableText(table));
  let position = '0';
  while (true) {
    const { rows } = await client.query({
      name: 'plain-page',
      text: `select * from raw_events where position > $1 order by position limit ${PAGE}`,
      values: [position],
    });
    if (rows.length === 0) return;
    position = rows.at(-1).position;
    await client.query('begin');
    await client.query(upsertText(table), [JSON.stringify(totalsOf(rows))]);
    await client.query('update plain_checkpoint set position = $1', [position]);
    await client.query('commit');
  }
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (EVENTS * 1_000) / (performance.now() - start);
};

/** A new read model over 20,000 events. Both sides start from nothing and end with the same rows. */
export const catchUpCase = async (
  url: string,
  store: EventStore,
  raw: RawLog,
): Promise<Case & { close(): Promise<void> }> => {
  for (let stream = 0; stream < STREAMS; stream++) {
    const id = `auction-${stream}`;
    const events = bids(0, EVENTS_PER_STREAM);
    await store.append({ stream: id, expectedRevision: NO_STREAM, events });
    await raw.insert(id, 0, events);
  }
  const pool = createPool(url, { name: 'bench-projector', max: 4 });
  const plain = new pg.Client({ connectionString: url });
  await plain.connect();
  await plain.query(
    'create table plain_checkpoint (position bigint); insert into plain_checkpoint values (0)',
  );
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const runner = createRunner({ pool, store, log: quiet });
  let run = 0;

  return {
    name: 'catch-up',
    unit: 'events/s',
    ours: () => timed(() => runner.catchUp(totalsProjection(`bench_${run++}`))),
    baseline: () => timed(() => plainLoop(plain, `plain_${run++}`)),
    close: async () => {
      await plain.end();
      await pool.end();
    },
  };
};
