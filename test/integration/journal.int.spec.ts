import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuctionEvent, AuctionOpened } from '../../domain/auction/events.ts';
import { domainEventOf, type EventContext } from '../../domain/event.ts';
import { type LedgerEntry, transfer } from '../../domain/ledger/entry.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { balanceOf, emptyLedger, evolveLedger, type Ledger, total } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import type { JournalRequest } from '../../domain/ports/journal.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const AT = '2026-01-01T00:00:00.000Z';

const contextOf = (cause: string, occurredAt = AT): EventContext => ({
  occurredAt,
  actor: 'test',
  correlationId: cause,
  causationId: cause,
  traceparent: null,
});

/** A journal with connections and beliefs of its own, as another process would have. */
const openJournal = (url: string) => {
  const pool = createPool(url, { name: 'test-journal', max: 8 });
  const store = createPostgresEventStore({ pool });
  const journal = createJournal({ store });
  return {
    store,
    journal,
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
};
type OpenJournal = ReturnType<typeof openJournal>;

const lapsed: AuctionEvent = { type: 'auction.lapsed', lapsedAt: AT };

/** One event on a new stream, and a hold of `amount` on `owner` that follows it. */
const holding = (
  stream: string,
  owner: string,
  amount: bigint,
  event: AuctionEvent = lapsed,
): JournalRequest => ({
  stream,
  expectedRevision: -1,
  batches: [
    {
      context: contextOf(`${stream}/open`),
      events: [event],
      entries: [
        transfer('hold', account.available(owner), account.escrow(stream), toMicro(amount), `${stream}@0`),
      ],
    },
  ],
  origin: { workflowId: stream, runId: null },
});

const newStream = (): string => `auction-${randomBytes(8).toString('hex')}`;

let database: TestDatabase;
let first: OpenJournal;
let second: OpenJournal;
let owner: string;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  first = openJournal(database.url);
  second = openJournal(database.url);
});
afterAll(async () => {
  await first.close();
  await second.close();
  await database.drop();
});
beforeEach(() => {
  owner = `subject-${randomBytes(8).toString('hex')}`;
});

const fund = async (amount: bigint): Promise<void> => {
  const id = randomBytes(8).toString('hex');
  const entry: LedgerEntry = transfer(
    'credit',
    account.external,
    account.available(owner),
    toMicro(amount),
    id,
  );
  expect(await first.journal.post([entry], contextOf(id))).toMatchObject({ ok: true });
};

/** The ledger of the log; Σ = 0 and no overdraft are checked after every event of it. */
const ledger = async (): Promise<Ledger> => {
  const events = await first.store.readStream(LEDGER_STREAM);
  return events.reduce((before, event) => {
    const after = evolveLedger(before, domainEventOf<LedgerEvent>(event));
    expect(total(after)).toBe(0n);
    for (const name of Object.keys(after.balances))
      if (name !== account.external) expect(balanceOf(after, name), name).toBeGreaterThanOrEqual(0n);
    return after;
  }, emptyLedger);
};

const available = async (): Promise<bigint> => balanceOf(await ledger(), account.available(owner));

describe('concurrent holds on one account', () => {
  test('of 32, exactly those succeed that the balance covers', async () => {
    await fund(1000n);
    const requests = Array.from({ length: 32 }, () => holding(newStream(), owner, 90n));
    const replies = await Promise.all(requests.map((request) => first.journal.append(request)));
    expect(replies.filter(({ kind }) => kind === 'appended')).toHaveLength(11);
    for (const reply of replies)
      if (reply.kind !== 'appended')
        expect(reply).toMatchObject({
          kind: 'refused',
          batch: 0,
          rejection: { code: 'INSUFFICIENT_BALANCE' },
        });
    expect(await available()).toBe(10n);
    for (const [index, { stream }] of requests.entries())
      expect(await first.store.readStream(stream)).toHaveLength(replies[index]?.kind === 'appended' ? 1 : 0);
  });

  test('by two processes at once too: they interleave, Σ stays zero', async () => {
    await fund(1000n);
    const replies = await Promise.all(
      Array.from({ length: 32 }, (_, index) =>
        (index % 2 === 0 ? first : second).journal.append(holding(newStream(), owner, 90n)),
      ),
    );
    expect(replies.filter(({ kind }) => kind === 'appended')).toHaveLength(11);
    expect(await available()).toBe(10n);
  });
});

describe('a repeated append', () => {
  test('answers with its first position after its money has moved, from any process', async () => {
    await fund(100n);
    const request = holding(newStream(), owner, 100n);
    const answer = await first.journal.append(request);
    expect(answer).toMatchObject({ kind: 'appended' });
    expect(await first.journal.append(request)).toEqual(answer);
    expect(await second.journal.append(request)).toEqual(answer);
    expect(await available()).toBe(0n);
  });

  test('moves no money twice although the balance would cover it', async () => {
    await fund(1000n);
    const request = holding(newStream(), owner, 100n);
    const answer = await first.journal.append(request);
    expect(await second.journal.append(request)).toEqual(answer);
    expect(await first.journal.append(request)).toEqual(answer);
    expect(await available()).toBe(900n);
  });

  test('of events without money is its first result too', async () => {
    const request = holding(newStream(), owner, 0n);
    const answer = await first.journal.append(request);
    expect(await second.journal.append(request)).toEqual(answer);
  });
});

const opened: AuctionOpened = {
  type: 'auction.opened',
  machineVersion: 1,
  auctionId: 'auction-1',
  submitter: 'subject-1',
  jobId: null,
  quoteId: 'quote-1',
  tier: 'bronze',
  tierTableVersion: 1,
  requiredTops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  winners: 1,
  requiredUp: 1,
  minimumOwners: 3,
  ceiling: toMicro(100n),
  rule: 'critical-value',
  seed: '00',
  auctionSeconds: 1,
  openedAt: AT,
  closesAt: AT,
};

/** The opening of an auction by a command, with the money that it holds. */
const opening = (stream: string, amount: bigint, event: AuctionEvent = opened): JournalRequest => {
  const request = holding(stream, owner, amount, event);
  const commandId = `${stream}/open`;
  return { ...request, batches: request.batches.map((batch) => ({ ...batch, commandId })) };
};

describe('a conflict on the own stream', () => {
  const again: AuctionEvent = { ...opened, seed: '01' };

  test('answers with the events that stand there, in their envelopes, and moves no money', async () => {
    await fund(1000n);
    const request = holding(newStream(), owner, 100n, opened);
    const written = await first.journal.append(request);
    const late = { ...holding(request.stream, owner, 100n, again) };
    const reply = await second.journal.append(late);
    expect(reply).toEqual({
      kind: 'conflict',
      stored: [
        {
          event: opened,
          context: request.batches[0]?.context,
          revision: 0,
          position: String(BigInt(written.kind === 'appended' ? written.position : 0) - 1n),
        },
      ],
      decided: [],
    });
    expect(await available()).toBe(900n);
  });

  test('wins over a refusal of the ledger: what stands there has been paid', async () => {
    await fund(100n);
    const request = holding(newStream(), owner, 100n, opened);
    await first.journal.append(request);
    const late = holding(request.stream, owner, 100n, again);
    expect(await first.journal.append(late)).toMatchObject({ kind: 'conflict', stored: [{ revision: 0 }] });
  });

  test('of very many events answers with the first of them; the rest follows when asked again', async () => {
    const stream = newStream();
    const bids = Array.from({ length: 700 }, (_, index): AuctionEvent => {
      const bidId = `bid-${index}`;
      const [providerId, bidder] = [`provider-${index}`, `owner-${index}`];
      return {
        type: 'auction.bid-placed',
        bidId,
        providerId,
        owner: bidder,
        sealed: '',
        deposit: toMicro(0n),
        placedAt: AT,
      };
    });
    const [batch] = holding(stream, owner, 0n).batches;
    await first.journal.append({
      ...holding(stream, owner, 0n),
      batches: [{ ...batch, events: [opened, ...bids] }] as JournalRequest['batches'],
    });
    const asked = (expectedRevision: number) =>
      second.journal.append({
        stream,
        expectedRevision,
        batches: [],
        origin: { workflowId: stream, runId: null },
      });
    expect(await asked(-1)).toMatchObject({ stored: { length: 500 } });
    expect(await asked(499)).toMatchObject({ stored: { length: 201, 0: { revision: 500 } } });
    expect(await asked(700)).toEqual({ kind: 'conflict', stored: [], decided: [] });
  });
});

describe('a command that the stream has decided', () => {
  test('is answered as it was, with the position of its money, and holds nothing again', async () => {
    await fund(1000n);
    const stream = newStream();
    const written = await first.journal.append(opening(stream, 100n));
    const answer = {
      commandId: `${stream}/open`,
      position: written.kind === 'appended' && written.position,
      revision: '0',
      state: 'open',
    };
    // Decided anew with another clock, by a process that does not know the stream.
    const late = opening(stream, 100n, { ...opened, openedAt: '2026-01-01T00:00:01.000Z' });
    expect(await second.journal.append(late)).toMatchObject({
      kind: 'conflict',
      stored: [{ event: opened }],
      decided: [answer],
    });
    // By one that knows the stream, and has forgotten the command.
    expect(await second.journal.append({ ...late, expectedRevision: 0 })).toEqual({
      kind: 'conflict',
      stored: [],
      decided: [answer],
    });
    expect(await available()).toBe(900n);
  });

  test('is answered although the ledger would refuse it now', async () => {
    await fund(100n);
    const stream = newStream();
    await first.journal.append(opening(stream, 100n));
    const late = opening(stream, 100n, { ...opened, openedAt: '2026-01-01T00:00:01.000Z' });
    expect(await first.journal.append(late)).toMatchObject({ decided: [{ commandId: `${stream}/open` }] });
  });

  test('money from outside is booked once, and told of with its first position', async () => {
    const entry = transfer(
      'credit',
      account.external,
      account.available(owner),
      toMicro(70n),
      `ref-${owner}`,
    );
    const commandId = `command-${owner}`;
    const book = (by: OpenJournal) => by.journal.post([entry], contextOf(commandId), commandId);
    const booked = await book(first);
    expect(booked).toMatchObject({ ok: true });
    await fund(1n);
    expect(await book(first)).toEqual(booked);
    expect(await book(second)).toEqual(booked);
    expect(await second.journal.post([entry], contextOf('other'), 'other')).toMatchObject({
      ok: false,
      code: 'CONFLICT',
    });
    expect(await available()).toBe(71n);
  });
});

describe('a refusal of the ledger', () => {
  test('names the batch that asked too much, and nothing of the step is written', async () => {
    await fund(100n);
    const stream = newStream();
    const [affordable] = holding(stream, owner, 60n).batches;
    const [tooMuch] = holding(`${stream}-2`, owner, 60n).batches;
    const reply = await first.journal.append({
      ...holding(stream, owner, 60n),
      batches: [affordable, tooMuch] as JournalRequest['batches'],
    });
    expect(reply).toMatchObject({ kind: 'refused', batch: 1 });
    expect(await first.store.readStream(stream)).toEqual([]);
    expect(await available()).toBe(100n);
  });
});

describe('the end of a lifecycle', () => {
  test('keeps its final state beside the stream', async () => {
    const request = holding(newStream(), owner, 0n);
    const final = { version: 1, state: { value: 'lapsed', context: {} } };
    await first.journal.append({ ...request, final });
    expect(await second.store.loadSnapshot(request.stream)).toEqual({ revision: 0n, ...final });
  });

  test('is kept also where its last events are taken over instead of appended', async () => {
    const stream = newStream();
    const failed: AuctionEvent = {
      type: 'auction.failed',
      reason: 'INTERNAL_ERROR',
      message: '',
      verdicts: [],
    };
    const [batch] = holding(stream, owner, 0n).batches;
    // A process that died between the append and the snapshot.
    await first.journal.append({
      ...holding(stream, owner, 0n),
      batches: [{ ...batch, events: [opened, failed] }] as JournalRequest['batches'],
    });
    expect(await second.store.loadSnapshot(stream)).toBeNull();
    const late = holding(stream, owner, 0n, { ...opened, seed: '01' });
    expect(await second.journal.append(late)).toMatchObject({ kind: 'conflict' });
    expect(await second.store.loadSnapshot(stream)).toMatchObject({
      revision: 1n,
      version: 1,
      state: { value: 'failed' },
    });
  });
});
