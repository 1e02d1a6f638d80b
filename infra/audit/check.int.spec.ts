import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuctionEvent } from '../../domain/auction/events.ts';
import { bidOf } from '../../domain/auction/market.fixture.ts';
import { aggregateOf, newEvent } from '../../domain/event.ts';
import { createFrontier } from '../../domain/merkle-frontier.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { LifecycleView } from '../../domain/ports/lifecycles.ts';
import { foldMachine, foldStream, isLifecycle } from '../../domain/registry.ts';
import { type SlaCreditGranted, slaStream } from '../../domain/sla/events.ts';
import { compareWithRebuild } from '../../projections/compare.ts';
import { ledgerTotal } from '../../projections/ledger/queries.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { plots, tell } from '../../test/support/stories.ts';
import { leafOfEnvelope } from '../event-store/hash.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { growLog } from '../tlog/grow.ts';
import { createCheckpointSigner } from '../tlog/signer.ts';
import { createTransparencyLog } from '../tlog/transparency-log.ts';
import { runAuditCheck } from './check.ts';
import { readEntries } from './log.ts';
import { replayStream } from './replay.ts';
import { passed } from './report.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
/** What the workflows of the open lifecycles hold. */
let workflows: Map<string, LifecycleView>;

const [plot] = fc.sample(plots({ min: 6, max: 6 }), { numRuns: 1, seed: 21 });

beforeEach(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 16 });
  store = createPostgresEventStore({ pool });
  await tell(store, plot as NonNullable<typeof plot>);
  const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
  for (const projection of READ_MODELS) await runner.catchUp(projection);
  workflows = new Map();
  for (const { stream } of plot?.stories ?? []) await goLive(stream);
});

afterEach(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

/** Leaves behind what the durable host does: a workflow for an open lifecycle, a final snapshot of an ended one. */
const goLive = async (stream: string): Promise<void> => {
  const events = await store.readStream(stream);
  const { revision, version, value, context } = foldStream(stream, events);
  const aggregate = aggregateOf(stream);
  if (aggregate === 'ledger')
    await store.saveSnapshot(stream, { revision: BigInt(revision), version: 1, state: context });
  if (!isLifecycle(aggregate)) return;
  if (foldMachine(aggregate, events).status === 'done') {
    await store.saveSnapshot(stream, { revision: BigInt(revision), version, state: { value, context } });
  } else {
    workflows.set(stream, {
      revision: String(revision),
      version,
      value: value as string,
      context,
      running: true,
    });
  }
};

const check = (after?: string) =>
  runAuditCheck({
    after,
    pool,
    store,
    lifecycles: { inspect: async (stream) => workflows.get(stream) ?? null },
    attempts: 2,
    waitMs: 10,
    readModels: READ_MODELS.map((projection) => ({
      name: projection.name,
      compare: () => compareWithRebuild(pool, store, projection),
    })),
    ledgerTotal: () => ledgerTotal(pool),
  });

const someStream = (wanted: (stream: string) => boolean): string => {
  const found = plot?.stories.find(({ stream }) => wanted(stream))?.stream;
  if (!found) throw new Error('the plot has no such stream');
  return found;
};

const context = {
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: 'engine',
  correlationId: 'job-1',
  causationId: 'proof-1@0',
  traceparent: null,
};
const credit: SlaCreditGranted = {
  type: 'sla.credit-granted',
  machineVersion: 1,
  jobId: 'job-1',
  providerId: 'provider-1',
  owner: 'subject-a',
  submitter: 'subject-b',
  proofId: 'proof-1',
  creditPercent: 100,
  fee: toMicro('1000'),
  earned: toMicro('1000'),
  due: toMicro('1000'),
  paid: toMicro('250'),
  outstanding: toMicro('750'),
  grantedAt: context.occurredAt,
};

/** Changes one letter of the last event that matches. */
const FORGE = `update log.events set envelope = replace(envelope, $2, $3) where stream = $1 and position = (
  select max(position) from log.events where stream = $1 and envelope like '%' || $2 || '%')`;

/** What an insider with the database could do: rewrite every hash after the change, and the head. */
const REHASH = `do $$
declare e record; chain bytea := decode(repeat('00', 32), 'hex');
begin
  for e in select * from log.events order by position loop
    chain := sha256(chain || sha256('\\x00'::bytea || convert_to(e.envelope, 'UTF8')));
    update log.events set hash = chain where position = e.position;
  end loop;
  update log.head set hash = chain;
end $$`;

describe('audit check', () => {
  it('passes on what the engine left behind', async () => {
    const report = await check();
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({
      chain_ok: true,
      replay_ok: true,
      projections_ok: true,
      ledger_sum_micro: '0',
    });
    expect(report.events).toBe(Number((await store.head()).position));
    expect(report.streams).toBe(plot?.stories.length);
    expect(passed(report)).toBe(true);
    expect(workflows.size).toBeGreaterThan(0);
    const { rows } = await pool.query('select from log.snapshots');
    expect(rows.length).toBeGreaterThan(1);
  });

  it('changes nothing', async () => {
    const tables = `select table_schema, table_name from information_schema.tables order by 1, 2`;
    const before = (await pool.query(tables)).rows;
    await check();
    expect((await pool.query(tables)).rows).toEqual(before);
    expect((await pool.query('select from fog.builds')).rowCount).toBe(READ_MODELS.length);
  });

  it('finds one changed letter of one event', async () => {
    const stream = someStream((each) => aggregateOf(each) === 'job');
    await pool.query(FORGE, [stream, '"actor":"engine"', '"actor":"enginf"']);
    const report = await check();
    expect(report.chain_ok).toBe(false);
    expect(report.problems).toContainEqual({
      check: 'chain',
      subject: expect.stringMatching(/^position \d+$/),
      difference: 'the content does not match its hash',
    });
    expect(passed(report)).toBe(false);
  });

  it('finds a removed event, a moved one and one past the head', async () => {
    const { position } = await store.head();
    await pool.query('update log.events set stream = $1 where position = 1', ['job-elsewhere']);
    await pool.query('delete from log.events where position = $1', [position]);
    const removed = await check();
    expect(removed.chain_ok).toBe(false);
    expect(
      removed.problems.filter(({ check: kind }) => kind === 'chain').map(({ subject }) => subject),
    ).toEqual(expect.arrayContaining(['position 1', 'head']));
    await pool.query(
      `insert into log.events select position + 5, 'job-new', 0, type, envelope, hash, recorded_at, workflow_id, run_id
         from log.events where position = 2 union all
       select ${position + 9n}, 'job-newer', 0, type, envelope, hash, recorded_at, null, null from log.events where position = 2`.replace(
        'position + 5',
        `${position + 8n}`,
      ),
    );
    expect((await check()).problems).toContainEqual({
      check: 'chain',
      subject: 'head',
      difference: `recorded at ${position}, but there are events up to ${position + 9n}`,
    });
  });

  it('finds a history that was rewritten with all its hashes', async () => {
    const stream = [...workflows.keys()].find((each) => aggregateOf(each) === 'job') as string;
    await pool.query(FORGE, [stream, '"utilization":0.8', '"utilization":0.7']);
    await pool.query(REHASH);
    const report = await check();
    expect(report.chain_ok).toBe(true);
    expect(report.problems).toContainEqual({
      check: 'replay',
      subject: stream,
      difference: expect.stringMatching(/context\.utilization: live 0\.8, replayed 0\.7/),
    });
    expect(
      report.problems.some(({ check: kind, subject }) => kind === 'projection' && subject === 'jobs'),
    ).toBe(true);
    expect(passed(report)).toBe(false);
  });

  it('finds a history rewritten with all its hashes after its head was signed, and a head with another key', async () => {
    const { position } = await store.head();
    const signer = createCheckpointSigner([new Uint8Array(32).fill(5)]);
    const tree = createFrontier();
    for await (const { envelope } of readEntries(pool, position - 1n)) tree.append(leafOfEnvelope(envelope));
    const sign = ({ root }: { root: Uint8Array }, by = signer) =>
      pool.query(
        `insert into log.checkpoints (size, root, note, public_key) values ($1, $2, $3, $4)
           on conflict (size) do update set note = excluded.note`,
        [tree.size(), root, by.sign({ size: tree.size(), root }), signer.publicKey],
      );
    await sign({ root: tree.root() });
    expect((await check()).problems).toEqual([]);

    const about = { check: 'chain', subject: 'signed head' };
    await sign({ root: tree.root() }, createCheckpointSigner([new Uint8Array(32).fill(6)]));
    expect((await check()).problems).toEqual([
      { ...about, difference: `the head signed at ${position - 1n} does not verify: UNKNOWN_SIGNER` },
    ]);

    await sign({ root: tree.root() });
    await pool.query(FORGE, ['ledger-main', '"actor":"engine"', '"actor":"enginf"']);
    await pool.query(REHASH);
    const report = await check();
    expect(report).toMatchObject({ chain_ok: false, ledger_sum_micro: '0' });
    expect(report.problems).toContainEqual({
      ...about,
      difference: `the log up to ${position - 1n} is not the one that was signed`,
    });
  });

  it('goes on behind a signed head that was checked before, and reads nothing up to there again', async () => {
    const signer = createCheckpointSigner([new Uint8Array(32).fill(5)]);
    const { position } = await store.head();
    const size = position / 2n;
    await growLog({ pool, signer }, size);
    const kept = (await createTransparencyLog(pool).newest())?.note as string;
    expect(await check(kept)).toMatchObject({ from: String(size), problems: [], projections_ok: null });
    await growLog({ pool, signer }, position);
    const whole = await check();
    const rest = await check(kept);
    expect(whole).toMatchObject({ from: '0', problems: [], projections_ok: true });
    expect(rest).toMatchObject({
      from: String(size),
      position: String(position),
      events: Number(position - size),
      chain_ok: true,
      replay_ok: true,
      projections_ok: null,
      ledger_sum_micro: '0',
      problems: [],
    });
    expect(passed(rest)).toBe(true);
    expect(rest.streams).toBeLessThan(whole.streams);

    // What came after it is held against everything, as in a whole check; what came before is not read.
    const forge = (at: bigint, from: string, to: string) =>
      pool.query('update log.events set envelope = replace(envelope, $2, $3) where position = $1', [
        at,
        from,
        to,
      ]);
    await forge(position, '"actor":"', '"actor":"x');
    expect(await check(kept)).toMatchObject({ chain_ok: false, from: String(size) });
    await forge(position, '"actor":"x', '"actor":"');
    await forge(1n, '"actor":"', '"actor":"x');
    expect((await check()).chain_ok).toBe(false);
    expect((await check(kept)).problems).toEqual([]);
  });

  it('checks all of a log that is not the one that the kept head was signed for', async () => {
    const signer = createCheckpointSigner([new Uint8Array(32).fill(5)]);
    const other = createCheckpointSigner([new Uint8Array(32).fill(6)]);
    const { position } = await store.head();
    const unlike = async (note: string, difference: string | RegExp) => {
      const report = await check(note);
      expect(report).toMatchObject({
        from: '0',
        events: Number(position),
        chain_ok: false,
        projections_ok: true,
      });
      expect(report.problems).toEqual([
        { check: 'chain', subject: 'checkpoint', difference: expect.stringMatching(difference) as string },
      ]);
      expect(passed(report)).toBe(false);
    };
    const root = new Uint8Array(32).fill(1);
    await unlike(signer.sign({ size: 3n, root }), /nothing of this log was signed/);
    await growLog({ pool, signer }, position);
    const kept = (await createTransparencyLog(pool).newest())?.note as string;
    expect((await check(kept)).problems).toEqual([]);
    await unlike(signer.sign({ size: 3n, root }), /the log up to 3 is not the one that was signed/);
    await unlike(other.sign({ size: 3n, root }), /does not verify: UNKNOWN_SIGNER/);
    await unlike(signer.sign({ size: position + 1n, root }), /has \d+ events, the log \d+$/);
    await unlike('no note', /does not verify/);
    await pool.query('delete from log.tiles where level = 0');
    expect((await check(kept)).problems).toMatchObject([
      { subject: 'checkpoint', difference: expect.stringMatching(/is gone$/) as string },
    ]);
  });

  it('finds a revision that is missing in its stream, and one that comes twice', async () => {
    const stream = someStream((each) => aggregateOf(each) === 'job');
    const events = await store.readStream(stream);
    expect(events.length).toBeGreaterThan(3);
    const [, second, third] = events;
    await pool.query('alter table log.events drop constraint events_stream_revision');
    const moveTo = (revision: number) =>
      pool.query('update log.events set revision = $2 where position = $1', [third?.position, revision]);
    const about = { check: 'chain', subject: `position ${third?.position}` };
    await moveTo(Number(second?.revision));
    expect((await check()).problems).toContainEqual({
      ...about,
      difference: `revision 1 of ${stream} follows 1`,
    });
    await moveTo(1_000);
    expect((await check()).problems).toContainEqual({
      ...about,
      difference: `revision 1000 of ${stream} follows 1`,
    });
  });

  it('finds money made in the log itself', async () => {
    await pool.query(FORGE, [
      'ledger-main',
      '"amount":"1000000000000000000000"',
      '"amount":"1000000000000000000001"',
    ]);
    await pool.query(REHASH);
    const report = await check();
    expect(report.ledger_sum_micro).toBe('1');
    expect(report.problems.map(({ check: kind, subject }) => `${kind} ${subject}`)).toEqual(
      expect.arrayContaining(['replay ledger-main', 'ledger log']),
    );
    expect(passed(report)).toBe(false);
  });

  it('finds an event that has not the form of its type, and one of no known type', async () => {
    const append = (stream: string, event: { readonly type: string }) =>
      store.append({ stream, expectedRevision: NO_STREAM, events: [newEvent(event, context)] });
    const enrolled = {
      type: 'subject.enrolled',
      machineVersion: 1,
      subjectId: 'subject-x',
      roles: ['king'],
      credential: 'api-key',
      fingerprint: 'ab',
      enrolledAt: context.occurredAt,
    };
    await append('subject-x', enrolled);
    await append('weather-x', { type: 'weather.changed' });
    const { problems, replay_ok } = await check();
    expect(replay_ok).toBe(false);
    expect(problems).toMatchObject([
      { subject: 'subject-x', difference: expect.stringMatching(/revision 0: .* schema: roles\.0: /) },
      { subject: 'weather-x', difference: 'revision 0: weather.changed is no known type of event' },
    ]);
  });

  it('finds an award that does not follow from its bids', async () => {
    const stream = `auction-${'9'.repeat(26)}`;
    const risks = [0, 1, 2].map((index) => ({ bidId: `bid-${index}`, positive: 0, negative: 0 }));
    const bids = [0, 1, 2].map((index) => bidOf(index, 100 + index, { surcharge: toMicro('0') }));
    const events: AuctionEvent[] = [
      {
        type: 'auction.opened',
        machineVersion: 3,
        auctionId: stream,
        submitter: 'subject-s',
        jobId: null,
        quoteId: 'quote-1',
        tier: 'bronze',
        tierTableVersion: 1,
        requiredTops: 500,
        utilization: 0.5,
        durationSeconds: 60,
        winners: 1,
        requiredUp: 1,
        minimumOwners: 3,
        ceiling: toMicro('1000'),
        rule: 'risk-priced',
        seed: 'ab'.repeat(32),
        auctionSeconds: 10,
        openedAt: context.occurredAt,
        closesAt: context.occurredAt,
      },
      { type: 'auction.closed', closedAt: context.occurredAt },
      { type: 'auction.bids-opened', bids, risks, refused: [] },
      {
        type: 'auction.awarded',
        winners: [{ ...bidOf(0, 100, { surcharge: toMicro('0') }), payment: toMicro('102') }],
        verdicts: [],
        total: toMicro('102'),
        predictedAvailability: 0.99,
        method: 'exact',
        allocateBy: null,
      },
    ];
    const append = (expectedRevision: bigint, some: readonly AuctionEvent[]) =>
      store.append({ stream, expectedRevision, events: some.map((event) => newEvent(event, context)) });
    await append(NO_STREAM, events.slice(0, 2));
    const signer = createCheckpointSigner([new Uint8Array(32).fill(5)]);
    await growLog({ pool, signer }, (await store.head()).position);
    const kept = (await createTransparencyLog(pool).newest())?.note;
    await append(1n, events.slice(2));
    await goLive(stream);
    const report = await check();
    expect(report).toMatchObject({ chain_ok: true, replay_ok: false });
    // The auction was under way when the head was signed.
    expect((await check(kept)).problems).toEqual(report.problems);
    expect(report.problems).toEqual([
      {
        check: 'replay',
        subject: stream,
        difference: 'it was awarded to bid-0 for 102, by its bids to bid-0 for 101',
      },
      { check: 'replay', subject: stream, difference: 'its total is 102, of its payments 101' },
    ]);
  });

  it('finds a credit whose money never moved', async () => {
    const stream = slaStream('job-1', 'provider-1');
    await store.append({ stream, expectedRevision: NO_STREAM, events: [newEvent(credit, context)] });
    const report = await check();
    expect(report).toMatchObject({
      chain_ok: true,
      replay_ok: true,
      sla_credits_micro: '250',
      sla_outstanding_micro: '750',
    });
    expect(report.problems).toEqual([
      { check: 'ledger', subject: stream, difference: 'credits of 250 were granted, 0 moved' },
    ]);
    expect(passed(report)).toBe(false);
  });

  it.each([
    ['jobs', `update fog.jobs set message = coalesce(message, '') || ' '`],
    ['auctions', `update fog.auctions set required_tops = required_tops + 1e-9 where state = 'failed'`],
    ['enclaves', 'delete from fog.enclaves where enclave_id = (select min(enclave_id) from fog.enclaves)'],
    ['providers', `update fog.providers set registered_at = registered_at + interval '1 microsecond'`],
    ['quorums', `update fog.quorums set members = members || '[]' || jsonb_build_array(1)`],
    ['trust', 'update fog.trust set position = position + 1'],
    ['ledger_postings', 'update fog.ledger_postings set line = line + 100 where line = 1'],
  ])('finds a changed row of %s', async (table, change) => {
    expect((await pool.query(change)).rowCount).toBeGreaterThan(0);
    const report = await check();
    expect(report).toMatchObject({ chain_ok: true, replay_ok: true, projections_ok: false });
    expect(new Set(report.problems.map(({ subject }) => subject))).toEqual(new Set([table]));
    expect(passed(report)).toBe(false);
  });

  it('finds one micro-unit on a balance', async () => {
    await pool.query(
      `update fog.ledger_accounts set balance = balance + 1 where account = 'available:subject-a'`,
    );
    const report = await check();
    expect(report).toMatchObject({ projections_ok: false, ledger_sum_micro: '1' });
    expect(report.problems.map(({ check: kind, subject }) => `${kind} ${subject}`)).toEqual([
      'projection ledger_accounts',
      'projection ledger_accounts',
      'ledger balances',
    ]);
  });

  it('finds a view that hides rows and a read model that is not there', async () => {
    await pool.query(
      `create or replace view fog.jobs as select * from fog.jobs_b1 where submitter <> submitter`,
    );
    expect((await check()).problems[0]).toMatchObject({
      subject: 'jobs',
      difference: expect.stringContaining('from the log, but not live'),
    });
    await pool.query(`delete from fog.builds where projection = 'trust'`);
    expect((await check()).problems).toContainEqual({
      check: 'projection',
      subject: 'trust',
      difference: 'there is no live build',
    });
  });

  it('finds a checkpoint past the log, which would skip events to come', async () => {
    const { position } = await store.head();
    await pool.query(`update fog.builds set position = position + 7 where projection = 'jobs'`);
    expect((await check()).problems).toEqual([
      {
        check: 'projection',
        subject: 'jobs',
        difference: `its checkpoint ${position + 7n} is past the log, ${position}`,
      },
    ]);
  });

  it('finds a workflow that holds another state, one that is behind and one that is gone', async () => {
    const [[first, view], [second, stale], [third]] = [...workflows] as [
      [string, LifecycleView],
      [string, LifecycleView],
      [string, LifecycleView],
    ];
    workflows.set(first, { ...view, context: { ...(view.context as object), forged: [1, 2] } });
    workflows.set(second, { ...stale, revision: '-1' });
    workflows.delete(third);
    const report = await check();
    expect(report).toMatchObject({ chain_ok: true, replay_ok: false, projections_ok: true });
    expect(new Map(report.problems.map(({ subject, difference }) => [subject, difference]))).toEqual(
      new Map([
        [first, `workflow at revision ${view.revision}: context.forged: live [1,2], replayed nothing`],
        [second, `its workflow stands at revision -1, the log at ${stale.revision}`],
        [third, 'it is open, but no workflow holds it'],
      ]),
    );
  });

  it('finds a changed and a missing final snapshot', async () => {
    const { rows } = await pool.query<{ stream: string }>(
      `select stream from log.snapshots where stream like 'job-%' or stream like 'enclave-%' order by stream`,
    );
    const [changed, missing] = rows.map(({ stream }) => stream);
    await pool.query(
      `update log.snapshots set state = replace(state, '"value":"', '"value":"un') where stream = $1`,
      [changed],
    );
    await pool.query('delete from log.snapshots where stream = $1', [missing]);
    const report = await check();
    expect(report.replay_ok).toBe(false);
    expect(report.problems.map(({ subject }) => subject).sort()).toEqual([changed, missing].sort());
    expect(report.problems.map(({ difference }) => difference).join('\n')).toMatch(
      /no final snapshot is kept/,
    );
    expect(report.problems.map(({ difference }) => difference).join('\n')).toMatch(/value: live "un/);
  });

  it('fails when the workflows cannot be asked', async () => {
    const report = await runAuditCheck({
      pool,
      store,
      lifecycles: { inspect: () => Promise.reject(new Error('Temporal is away')) },
      readModels: [],
      ledgerTotal: () => ledgerTotal(pool),
    });
    expect(report.replay_ok).toBe(false);
    expect(report.problems).toHaveLength(workflows.size);
    expect(report.problems[0]?.difference).toBe('Temporal is away');
  });
});

describe('audit replay', () => {
  it('gives the state at any revision', async () => {
    const stream = someStream((each) => aggregateOf(each) === 'auction');
    const events = await store.readStream(stream);
    for (const { revision } of events) {
      const state = await replayStream(store, stream, revision);
      expect(state).toMatchObject({ stream, aggregate: 'auction', revision: Number(revision) });
      expect(state?.context).toEqual(foldStream(stream, events.slice(0, Number(revision) + 1)).context);
    }
    expect(await replayStream(store, stream)).toEqual(
      await replayStream(store, stream, BigInt(events.length - 1)),
    );
    expect(await replayStream(store, 'auction-unknown')).toBeNull();
  });
});
