import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../domain/event.ts';
import { account } from '../domain/ledger/events.ts';
import type { EventStore } from '../domain/ports/event-store.ts';
import { createPostgresEventStore } from '../infra/event-store/postgres/store.ts';
import { migrate } from '../infra/postgres/migrate.ts';
import { createPool } from '../infra/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../test/support/postgres.ts';
import { plots, tell } from '../test/support/stories.ts';
import { ask } from './ask.ts';
import { auctions } from './auctions/projection.ts';
import { getAuction, listOpenAuctions } from './auctions/queries.ts';
import { enclaves } from './enclaves/projection.ts';
import { countActiveEnclaves, getEnclave, newestHosted } from './enclaves/queries.ts';
import { jobs } from './jobs/projection.ts';
import {
  getJob,
  isJobCursor,
  jobsUnderWay,
  listJobs,
  progressOf,
  queuePosition,
  queueStats,
} from './jobs/queries.ts';
import { getBalance, getBalances, isEntryCursor, ledgerTotal, listEntries } from './ledger/queries.ts';
import { providers } from './providers/projection.ts';
import {
  getProvider,
  getProviders,
  listProviders,
  offeredTypes,
  platformCounts,
} from './providers/queries.ts';
import { quorums } from './quorums/projection.ts';
import { diversityOf, getQuorum, listActiveQuorums } from './quorums/queries.ts';
import { READ_MODELS } from './read-models.ts';
import { createRunner } from './runner.ts';
import { trust } from './trust/projection.ts';
import { getTrust } from './trust/queries.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let events: readonly RecordedEvent[];

const catchUp = async (): Promise<void> => {
  const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
  for (const projection of READ_MODELS) await runner.catchUp(projection);
};

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  const [plot] = fc.sample(plots({ min: 9, max: 9 }), { numRuns: 1, seed: 33 });
  await tell(store, plot as NonNullable<typeof plot>);
  await catchUp();
  events = await store.readAll({ after: 0n, limit: 100_000 });
});

afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

/** Rows as the fold makes them, in one batch over the whole log. */
const folded = <Row>(model: {
  handles: readonly string[];
  fold(batch: readonly RecordedEvent[], before: ReadonlyMap<string, Row>): readonly Row[];
}): readonly Row[] =>
  model.fold(
    events.filter(({ type }) => model.handles.includes(type)),
    new Map(),
  );

describe('rows come back as they were folded', () => {
  it('auctions', async () => {
    const rows = folded(auctions);
    for (const row of rows) expect(await getAuction(pool, row.auctionId)).toEqual(row);
    const open = rows.filter(({ state }) => state === 'open').map(({ auctionId }) => auctionId);
    expect((await listOpenAuctions(pool)).map(({ auctionId }) => auctionId)).toEqual(open.sort());
    expect(open.length).toBeGreaterThan(0);
    expect(await getAuction(pool, 'auction-unknown')).toBeNull();
  });

  it('quorums', async () => {
    const rows = folded(quorums);
    for (const row of rows) expect(await getQuorum(pool, row.quorumId)).toEqual(row);
    const active = rows.filter(({ state }) => state !== 'dissolved');
    const listed = await listActiveQuorums(pool, { limit: 100 });
    expect(listed.map(({ quorumId }) => quorumId).sort()).toEqual(
      active.map(({ quorumId }) => quorumId).sort(),
    );
    const [owner] = active.flatMap(({ members }) => members.map((member) => member.owner));
    const own = await listActiveQuorums(pool, { participant: owner as string, limit: 100 });
    expect(own.length).toBe(
      active.filter(({ members }) => members.some((member) => member.owner === owner)).length,
    );
    expect(await listActiveQuorums(pool, { participant: 'subject-nobody', limit: 100 })).toEqual([]);
    const [row] = rows;
    expect(diversityOf({ members: row?.members.slice(0, 1) ?? [] })).toEqual({
      owner: 1,
      type: 1,
      asn: 1,
      region: 1,
    });
  });

  it('enclaves', async () => {
    const rows = folded(enclaves);
    for (const row of rows) {
      expect(await getEnclave(pool, row.enclaveId)).toEqual(row);
    }
    const newest = new Map<string, (typeof rows)[number]>();
    for (const row of rows) {
      const before = newest.get(row.providerId);
      const key = ({ requestedAt, enclaveId }: typeof row) => `${requestedAt} ${enclaveId}`;
      if (row.attestedAt !== null && (!before || key(row) > key(before))) newest.set(row.providerId, row);
    }
    const hosts = [...new Set(rows.map(({ providerId }) => providerId)), 'provider-unknown'];
    expect(await newestHosted(pool, hosts)).toEqual(
      new Map([...newest].map(([id, { codeHash, jobId }]) => [id, { codeHash, jobId }])),
    );
    expect(newest.size).toBeGreaterThan(0);
    const active = rows.filter(({ state }) => state !== 'terminated' && state !== 'error');
    const counts = await countActiveEnclaves(pool);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(active.length);
  });

  it('providers', async () => {
    const rows = folded(providers);
    for (const row of rows) {
      expect(await getProvider(pool, row.providerId)).toEqual(row);
      expect(await listProviders(pool, { owner: row.owner })).toEqual([row]);
    }
    const listed = rows.filter(({ state }) => state === 'listed');
    expect(await listProviders(pool, { listed: true })).toEqual(
      listed.toSorted((a, b) => (a.providerId < b.providerId ? -1 : 1)),
    );
    expect(await getProviders(pool, [rows[0]?.providerId ?? '', 'provider-unknown'])).toEqual([rows[0]]);
    expect(await offeredTypes(pool)).toEqual(
      [...new Set(listed.map((row) => row.infrastructureType))].sort(),
    );
    expect(await platformCounts(pool, '2026-01-01T00:01:00.000Z')).toEqual([
      { platform: 'amd_sev_snp', label: 'simulated', providers: listed.length },
    ]);
    expect(await platformCounts(pool, '2027-01-01T00:00:00.000Z')).toEqual([]);
  });

  it('trust', async () => {
    for (const row of folded(trust)) {
      expect(await getTrust(pool, row.providerId)).toMatchObject(row);
      const record = await getTrust(pool, row.providerId);
      expect(record?.updatedAt).toBe(row.evidenceAt ?? row.registeredAt);
    }
    expect(await getTrust(pool, 'provider-unknown')).toBeNull();
  });

  it('jobs', async () => {
    for (const row of folded(jobs)) expect(await getJob(pool, row.jobId)).toEqual(row);
    expect(await getJob(pool, 'job-unknown')).toBeNull();
  });
});

describe('jobs', () => {
  it('a timeline names every event with its workflow and run, in order', async () => {
    for (const { jobId } of folded(jobs)) {
      const job = await getJob(pool, jobId);
      const own = events.filter(({ stream }) => stream === jobId);
      expect(job?.timeline).toEqual(
        own.map((event) => ({
          at: event.occurredAt,
          event: event.type,
          workflowId: jobId,
          runId: event.runId,
          position: String(event.position),
          providerId: event.data['providerId'] ?? null,
        })),
      );
      expect(job?.position).toBe(job?.timeline.at(-1)?.position);
    }
  });

  it('a settled job tells its members, what each was paid, its proof and its price', async () => {
    const settled = folded(jobs).find(({ state }) => state === 'settled');
    const job = await getJob(pool, settled?.jobId ?? '');
    expect(job).toMatchObject({ outcome: 'exited', exitCode: 0, price: '2703', sla: { verdict: 'met' } });
    expect(job?.proofId).toMatch(/^proof-/);
    for (const member of job?.members ?? []) {
      expect(member.paid).toBe(member.payment);
      expect(member.accepted).toBe(true);
      expect(member.infrastructureType).toBeTruthy();
    }
    expect(progressOf(job as NonNullable<typeof job>)).toBe(1);
  });

  it('pages meet every own job once, newest first', async () => {
    const rows = folded(jobs);
    const [submitter] = rows.map((row) => row.submitter);
    const own = rows.filter((row) => row.submitter === submitter);
    const met: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listJobs(pool, {
        submitter: submitter as string,
        limit: 2,
        ...(cursor && { cursor }),
      });
      met.push(...page.items.map(({ jobId }) => jobId));
      cursor = page.nextCursor ?? undefined;
      expect(cursor === undefined || isJobCursor(cursor)).toBe(true);
    } while (cursor);
    const newest = own.toSorted((a, b) => Number(b.submittedPosition) - Number(a.submittedPosition));
    expect(met).toEqual(newest.map(({ jobId }) => jobId));
    const failed = await listJobs(pool, { states: ['failed'], limit: 50 });
    expect(failed.items.map(({ state }) => state)).toEqual(
      rows.filter(({ state }) => state === 'failed').map(() => 'failed'),
    );
    for (const cursor of [`1' or 1=1`, '9'.repeat(19)]) expect(isJobCursor(cursor)).toBe(false);
    for (const cursor of ['1', `${'9'.repeat(19)}.0`, '1.9999999999'])
      expect(isEntryCursor(cursor)).toBe(false);
  });

  it('the queue adds up', async () => {
    const rows = folded(jobs);
    const stats = await queueStats(pool);
    expect(stats.total).toBe(rows.length);
    expect(stats.queued + stats.running + stats.completed).toBe(stats.total);
    expect(stats.completed).toBe(
      rows.filter(({ state }) => state === 'settled' || state === 'failed').length,
    );
    expect(stats.averageWaitSeconds).toBeGreaterThan(0);
    const { queued, running } = stats;
    expect(await jobsUnderWay(pool)).toEqual({ queued, running });
    expect(await queuePosition(pool, { submittedPosition: '0' })).toBe(0);
    expect(await queuePosition(pool, { submittedPosition: String(2n ** 62n) })).toBe(stats.queued);
  });
});

it('a statement that was prepared over another version of a view still answers', async () => {
  const one = createPool(database.url, { name: 'test', max: 1 });
  const statement = { name: 'sample', text: 'select shown from sample where shown::text = $1' };
  await one.query('create view sample as select 1::integer as shown');
  expect((await ask(one, statement, ['1'])).rows).toEqual([{ shown: 1 }]);
  const client = await one.connect();
  await client.query('drop view sample');
  await client.query(`create view sample as select '1'::text as shown`);
  expect((await ask(client, statement, ['1'])).rows).toEqual([{ shown: '1' }]);
  await client.query('drop view sample');
  client.release();
  await one.end();
});

describe('ledger', () => {
  it('balances by purpose, entries by page, Σ = 0', async () => {
    expect(await ledgerTotal(pool)).toBe('0');
    expect(await getBalances(pool, 'subject-nobody')).toBeNull();
    const balances = await getBalances(pool, 'subject-a');
    expect(balances?.available).toBe(await getBalance(pool, account.available('subject-a')));
    expect(await getBalance(pool, 'escrow:never')).toBe('0');
    const whole = await listEntries(pool, 'subject-a', { limit: 500 });
    const met: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await listEntries(pool, 'subject-a', {
        limit: 2,
        ...(cursor && { cursor }),
      });
      met.push(...page.items);
      cursor = page.nextCursor ?? undefined;
      expect(cursor === undefined || isEntryCursor(cursor)).toBe(true);
    } while (cursor);
    expect(met).toEqual(whole.items);
    const sum = whole.items
      .filter((item) => item.account === account.available('subject-a'))
      .reduce((total, { amount }) => total + BigInt(amount), 0n);
    expect(String(sum)).toBe(balances?.available);
  });
});
