import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RecordedEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { chainEntryOf, verifyChain } from '../../infra/event-store/chain.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { sampleAppend } from '../contract/events.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { eventsBefore, mainStream, sideEventsBefore, sideStream } from './requests.ts';

const WRITERS = 32;
const KILLS = 20;
const BYSTANDERS = 4;

let database: TestDatabase;
let store: EventStore;

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  store = createPostgresEventStore({ url: database.url });
});
afterEach(async () => {
  await store.close();
  await database.drop();
});

/** What the writers were told: next index and the positions of acknowledged requests, per writer. */
interface Acknowledged {
  readonly next: number[];
  readonly positions: bigint[][];
}

const startWriters = (acknowledged: Acknowledged, until: number): ChildProcess =>
  spawn(
    process.execPath,
    [
      fileURLToPath(new URL('./writer.ts', import.meta.url)),
      database.url,
      `${until}`,
      ...acknowledged.next.map(String),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

/** Takes down what the process says, and kills it after `kill` acknowledgements; null lets it finish. */
const runWriters = async (
  acknowledged: Acknowledged,
  until: number,
  kill: number | null,
): Promise<number> => {
  const child = startWriters(acknowledged, until);
  const closed = once(child, 'close');
  let told = 0;
  if (!child.stdout) throw new Error('the writer has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const [writer = -1, index = -1, position = -1] = line.split(' ').map(Number);
    expect(index).toBe(acknowledged.next[writer]);
    acknowledged.next[writer] = index + 1;
    acknowledged.positions[writer]?.push(BigInt(position));
    if (++told === kill) child.kill('SIGKILL');
  }
  const [code] = await closed;
  if (kill === null) expect(code).toBe(0);
  return told;
};

/** Appends of another process that is never killed, until `signal` aborts. */
const standBy = async (writer: number, signal: AbortSignal): Promise<number> => {
  let revision = NO_STREAM;
  while (!signal.aborted) {
    const result = await store.append(sampleAppend(`bystander-${writer}`, revision));
    expect(result).toMatchObject({ ok: true, replayed: false });
    revision += 1n;
  }
  return Number(revision) + 1;
};

const follow = async (until: Promise<bigint>): Promise<bigint[]> => {
  const seen: bigint[] = [];
  const stop = new AbortController();
  let end: bigint | null = null;
  const done = until.then((position) => {
    end = position;
    if (BigInt(seen.length) >= position) stop.abort();
  });
  for await (const batch of store.subscribe(0n, stop.signal)) {
    for (const event of batch) seen.push(event.position);
    if (end !== null && BigInt(seen.length) >= end) break;
  }
  await done;
  return seen;
};

const numbersOf = (events: readonly RecordedEvent[], stream: string) =>
  events.filter((event) => event.stream === stream).map((event) => event.data['number']);

/** Position of the last event of each request of a writer. */
const lastPositions = (events: readonly RecordedEvent[], writer: number): bigint[] => {
  const positions: bigint[] = [];
  for (const { stream, data, position } of events) {
    if (stream === mainStream(writer) || stream === sideStream(writer))
      positions[Number(data['index'])] = position;
  }
  return positions;
};

const countTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('32 writers whose process is killed 20 times lose, double and invert nothing', {
  timeout: 300_000,
}, async () => {
  const acknowledged: Acknowledged = {
    next: Array(WRITERS).fill(0),
    positions: Array.from({ length: WRITERS }, () => []),
  };
  const finish = new AbortController();
  const { promise: end, resolve: ended } = Promise.withResolvers<bigint>();
  const bystanders = countTo(BYSTANDERS).map((writer) => standBy(writer, finish.signal));
  const followed = follow(end);

  for (let kill = 0; kill < KILLS; kill++) {
    // Spread over the life of a process: from its first batches on.
    await runWriters(acknowledged, 1_000_000, 1 + ((kill * 97) % 400));
  }
  await runWriters(acknowledged, Math.max(...acknowledged.next) + 10, null);
  finish.abort();
  const standing = await Promise.all(bystanders);
  const head = await store.head();
  ended(head.position);

  const events = await store.readAll({ after: 0n, limit: 10_000_000 });
  const { faults, head: verified } = verifyChain(events.map(chainEntryOf));
  expect(faults).toEqual([]);
  expect(verified).toEqual(head);
  expect(await followed).toEqual(events.map((event) => event.position));
  for (let writer = 0; writer < WRITERS; writer++) {
    const requests = acknowledged.next[writer] as number;
    expect(numbersOf(events, mainStream(writer))).toEqual(countTo(eventsBefore(requests)));
    expect(numbersOf(events, sideStream(writer))).toEqual(countTo(sideEventsBefore(requests)));
    expect(acknowledged.positions[writer]).toEqual(lastPositions(events, writer));
  }
  for (const [writer, count] of standing.entries()) {
    expect(numbersOf(events, `bystander-${writer}`)).toEqual(countTo(count));
  }
});
