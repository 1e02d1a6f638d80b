import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DomainEvent, domainEventOf, newEvent } from '../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { plots } from '../../test/support/stories.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { audit } from './audit.ts';

let database: TestDatabase;
let pool: Pool;
let store: EventStore;

/** Streams without workflows: these the audit judges without asking Temporal. */
const still = ['ledger', 'provider'];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  const [plot] = fc.sample(plots({ min: 2, max: 2 }), { numRuns: 1, seed: 8 });
  for (const { stream, events } of plot?.stories ?? []) {
    if (!still.some((aggregate) => stream.startsWith(aggregate))) continue;
    const context = {
      occurredAt: '2026-01-01T00:00:00.000Z',
      actor: 'engine',
      correlationId: 'c',
      causationId: 'c',
      traceparent: null,
    };
    await store.append({
      stream,
      expectedRevision: NO_STREAM,
      events: events.map((event) => newEvent(event, context)),
    });
  }
  const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
  for (const projection of READ_MODELS) await runner.catchUp(projection);
});

afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

const run = async (...argv: string[]): Promise<{ code: number; lines: string[] }> => {
  const lines: string[] = [];
  const env = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  return { code: await audit(argv, env, (line) => lines.push(line)), lines };
};

describe('the audit program', () => {
  it('check: one JSON object in the words of the issue, exit 0', async () => {
    const { code, lines } = await run('check', '--json');
    const { position } = await store.head();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      events: Number(position),
      chain_ok: true,
      replay_ok: true,
      projections_ok: true,
      ledger_sum_micro: '0',
      problems: [],
    });
    expect(code).toBe(0);
    expect((await run('check')).lines.join('\n')).toMatch(
      /hash chain {3}ok\nreplay {7}ok\nread models {2}ok\nledger {7}sum 0/,
    );
  });

  it('replay: any stream at any revision', async () => {
    const [event] = await store.readAll({ after: 0n, limit: 1, types: ['provider.registered'] });
    const { code, lines } = await run('replay', '--at', '0', '--json', '--', event?.stream as string);
    const { owner } = domainEventOf<DomainEvent & { owner: string }>(event as NonNullable<typeof event>);
    expect(code).toBe(0);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      stream: event?.stream,
      revision: 0,
      context: { owner },
    });
    expect((await run('replay', 'provider-unknown')).code).toBe(2);
    expect((await run('replay', event?.stream as string, '--at', '9999')).lines[0]).toMatch(
      /ends at revision/,
    );
    expect((await run('replay', event?.stream as string, '--at', '-1')).code).toBe(2);
  });

  it('rebuild: a new build goes live; --until prints the past and changes nothing', async () => {
    const rebuilt = await run('rebuild', 'ledger');
    expect(rebuilt).toEqual({
      code: 0,
      lines: [expect.stringMatching(/^ledger: build 2 is live at position \d+$/)],
    });
    const [first] = await store.readAll({ after: 0n, limit: 1, types: ['ledger.entry-posted'] });
    const past = await run('rebuild', '--until', String(first?.position), '--', 'ledger');
    expect(past.lines.map((line) => (JSON.parse(line) as { table: string }).table)).toEqual([
      'ledger_accounts',
      'ledger_accounts',
      'ledger_postings',
      'ledger_postings',
    ]);
    const { lines } = await run('status');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ projection: 'ledger', build: 2, lag: '0', parked: [] }),
    );
    expect((await run('rebuild', 'nothing')).lines[0]).toMatch(/no read model nothing; there are auctions/);
  });

  it('retry, usage and wrong options', async () => {
    expect(await run('retry', 'ledger')).toEqual({ code: 0, lines: ['ledger has parked nothing'] });
    expect(await run('retry', 'ledger', 'ledger-main@9')).toEqual({
      code: 2,
      lines: ['ledger has not parked ledger-main@9'],
    });
    expect((await run('retry')).code).toBe(2);
    expect((await run('explode')).code).toBe(2);
    expect((await run('check', '--jsno')).code).toBe(2);
    expect((await run()).lines[0]).toMatch(/^usage:/);
  });

  it('status, check and retry: a parked row is named, and told again after the repair', async () => {
    const [bad] = await store.readAll({ after: 0n, limit: 1, types: ['provider.registered'] });
    const { position = 0n, stream = '' } = bad ?? {};
    const envelopeAt = 'select envelope from log.events where position = $1';
    const { rows } = await pool.query<{ envelope: string }>(envelopeAt, [position]);
    const envelope = rows[0]?.envelope ?? '';
    const write = (text: string) =>
      pool.query('update log.events set envelope = $2 where position = $1', [position, text]);
    await write(envelope.replace(/"asn":\d+/, '"asn":"none"'));
    await run('rebuild', 'providers');

    const status = await run('status');
    expect(status.code).toBe(1);
    const error = 'asn is no long';
    expect(status.lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        projection: 'providers',
        lag: '0',
        parked: [{ key: stream, stream, position: String(position), type: 'provider.registered', error }],
      }),
    );
    const said = `${stream} is parked at provider.registered (position ${position}): ${error}`;
    const { problems } = JSON.parse((await run('check', '--json')).lines[0] as string) as {
      problems: { check: string; difference: string }[];
    };
    expect(problems.filter(({ check }) => check === 'projection')).toEqual([
      { check: 'projection', subject: 'providers', difference: said },
    ]);
    expect(await run('retry', 'providers')).toEqual({ code: 1, lines: [said] });

    await write(envelope);
    expect(await run('retry', 'providers', stream)).toEqual({
      code: 0,
      lines: [`${stream} shows what the log says again`],
    });
    expect((await run('status')).code).toBe(0);
    expect((await run('check')).code).toBe(0);
  });

  it('check: exit 1 when anything is wrong', async () => {
    await pool.query(`update fog.trust set items = items + 1`);
    const { code, lines } = await run('check', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ chain_ok: true, projections_ok: false });
    expect((await run('check')).lines.join('\n')).toMatch(
      /read models {2}FAILED[\s\S]*projection: trust: live, but not from the log/,
    );
  });
});
