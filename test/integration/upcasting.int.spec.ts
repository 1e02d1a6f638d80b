import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loggedIn } from '../../api/routes/proofs/logged.ts';
import { type EventContext, newEvent, type RecordedEvent } from '../../domain/event.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { ProviderEvent } from '../../domain/provider/events.ts';
import { foldStream } from '../../domain/registry.ts';
import { runAuditCheck } from '../../infra/audit/check.ts';
import { replayStream } from '../../infra/audit/replay.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createProviders } from '../../infra/providers/providers.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { createTransparencyLog } from '../../infra/tlog/transparency-log.ts';
import { verifyExport } from '../../infra/verify/index.ts';
import { compareWithRebuild } from '../../projections/compare.ts';
import { ledgerTotal } from '../../projections/ledger/queries.ts';
import { getProviders } from '../../projections/providers/queries.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const AT = '2026-01-01T00:00:00.000Z';
const OLD = 'provider-00000000000000000000000001';
const NEW = 'provider-00000000000000000000000002';
const AMOUNT = toMicro(300n);

/** The text that a process of the first version stored for the stake of a provider. */
const STORED =
  `{"actor":"subject-1","causationId":"stake/${OLD}","correlationId":"${OLD}","data":{"amount":"300"},` +
  `"id":"${OLD}@1","occurredAt":"${AT}","revision":1,"schemaVersion":1,"stream":"${OLD}","traceparent":null,` +
  '"type":"provider.stake-locked"}';

const contextOf = (stream: string, cause: string): EventContext => ({
  occurredAt: AT,
  actor: 'subject-1',
  correlationId: stream,
  causationId: `${cause}/${stream}`,
  traceparent: null,
});

const registered = (providerId: string): ProviderEvent => ({
  type: 'provider.registered',
  machineVersion: 1,
  providerId,
  owner: 'subject-1',
  infrastructureType: 'cloud_aws',
  asn: 64_500,
  region: 'here',
  tops: 1,
  publicKey: 'ab'.repeat(32),
  registeredAt: AT,
});

let database: TestDatabase;
let pool: Pool;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  const journal = createJournal({ store });
  const funds = transfer('credit', account.external, account.available('subject-1'), AMOUNT, 'credit-1');
  await journal.post([funds, { ...funds, entryId: 'credit-2' }], contextOf('ledger', 'credit'));
  for (const [stream, schemaVersion, data] of [
    [OLD, 1, { amount: AMOUNT }],
    [NEW, 2, { amount: AMOUNT, at: AT }],
  ] as const) {
    const own = [
      newEvent(registered(stream), contextOf(stream, 'register')),
      { type: 'provider.stake-locked', schemaVersion, data, ...contextOf(stream, 'stake') },
    ];
    const stake = transfer(
      'stake',
      account.available('subject-1'),
      account.stake(stream),
      AMOUNT,
      `${stream}@1`,
    );
    const appended = await journal.step(
      {
        stream,
        expectedRevision: NO_STREAM,
        events: own,
        commands: own.map(({ causationId }) => causationId),
      },
      [{ context: contextOf(stream, 'stake'), entries: [stake] }],
    );
    if (!appended.ok) throw new Error(`${stream} was not written: ${appended.reason}`);
  }
});

afterAll(async () => {
  await store.close();
  await pool.end();
  await database.drop();
});

const textOf = async (stream: string): Promise<string | undefined> => {
  const { rows } = await pool.query<{ envelope: string }>(
    'select envelope from log.events where stream = $1 and revision = 1',
    [stream],
  );
  return rows[0]?.envelope;
};

const lifted = { type: 'provider.stake-locked', schemaVersion: 2, data: { amount: AMOUNT, at: AT } };
const staked = (events: readonly RecordedEvent[] | undefined) =>
  events?.find(({ stream, type }) => stream === OLD && type === 'provider.stake-locked');

describe('an event of an older shape', () => {
  test('stands in the log as it was written then, and a new one in the shape of today', async () => {
    expect(await textOf(OLD)).toBe(STORED);
    expect(JSON.parse((await textOf(NEW)) ?? '')).toMatchObject(lifted);
  });

  test('is read in the newest shape on every path', async () => {
    expect(staked(await store.readStream(OLD))).toMatchObject(lifted);
    expect(staked((await store.readStreams([OLD])).get(OLD))).toMatchObject(lifted);
    expect(staked(await store.readAll({ after: 0n, limit: 100 }))).toMatchObject(lifted);
    const only = { after: 0n, limit: 100, types: ['provider.stake-locked'] };
    expect(staked(await store.readAll(only))).toMatchObject(lifted);
    const [decided] = await store.findCommands(OLD, [`stake/${OLD}`]);
    expect(staked(decided?.events)).toMatchObject(lifted);
    const stop = new AbortController();
    for await (const batch of store.subscribe(0n, stop.signal)) {
      const found = staked(batch);
      if (!found) continue;
      expect(found).toMatchObject(lifted);
      stop.abort();
    }
  });

  test('folds and reads like a new one, and its stream goes on', async () => {
    const folded = async (stream: string) => {
      const { context } = foldStream(stream, await store.readStream(stream));
      return { ...(context as object), providerId: '' };
    };
    expect(await folded(OLD)).toEqual(await folded(NEW));
    expect((await replayStream(store, OLD))?.context).toMatchObject({ stake: AMOUNT, stakedAt: AT });
    const providers = createProviders({ store, books: createJournal({ store }), now: () => AT });
    const caller = { actor: 'subject-1', commandId: `stake/${OLD}` };
    // The command of then is still answered as it was then.
    const again = await providers.execute(OLD, { type: 'lock-stake', amount: AMOUNT }, caller);
    expect(again).toMatchObject({ ok: true, provider: { stake: AMOUNT, stakedAt: AT } });
    expect(await store.readStream(OLD)).toHaveLength(2);
  });

  test('shows in read models, and passes the audit, like a new one', async () => {
    const runner = createRunner({ pool, store, log: pino({ level: 'silent' }) });
    for (const projection of READ_MODELS) await runner.catchUp(projection);
    const [old, young] = await getProviders(pool, [OLD, NEW]);
    expect(old).toMatchObject({ providerId: OLD, stake: AMOUNT, stakedAt: AT });
    expect({ ...old, providerId: NEW, position: '' }).toEqual({ ...young, position: '' });
    const report = await runAuditCheck({
      pool,
      store,
      lifecycles: { inspect: async () => null },
      readModels: READ_MODELS.map((projection) => ({
        name: projection.name,
        compare: () => compareWithRebuild(pool, store, projection),
      })),
      ledgerTotal: () => ledgerTotal(pool),
    });
    expect(report).toMatchObject({ problems: [], chain_ok: true, replay_ok: true, projections_ok: true });
  });

  test('keeps the hash of its text: in the tree, in an export, and in the proof that it is logged', async () => {
    const { position } = await store.head();
    const signer = createCheckpointSigner([new Uint8Array(32).fill(3)]);
    await growLog({ pool, signer }, position);
    const log = createTransparencyLog(pool);
    const newest = await log.newest();
    const size = String(position);
    const header = { format: 'aivillage-log/2', from: '1', to: size, size, chain: '00'.repeat(32) };
    const subtrees = { left: [], right: [], checkpoint: newest?.note, public_key: newest?.publicKey };
    const source = `${JSON.stringify({ ...header, ...subtrees })}\n${await log.entries(1n, position)}`;
    expect(source).toContain(STORED);
    expect(await verifyExport({ source })).toMatchObject({ valid: true, events: Number(position) });
    const event = staked(await store.readStream(OLD)) as RecordedEvent;
    expect(await loggedIn(newest, log, event)).toMatchObject({ pathValid: true });
  });
});
