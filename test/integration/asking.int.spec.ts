import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EnclaveDestroyed } from '../../domain/enclave/events.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { foldStream } from '../../domain/registry.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { type Engine, now, openEngine } from '../support/open-engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { expectProblem, sha256Of } from '../support/rest.ts';
import { temporalAddress } from '../support/temporal.ts';

/** (module (memory (export "memory") 1) (func (export "_start"))) */
const MODULE = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f72790200065f737461727400000a040102000b',
  'hex',
);
const HEX = 'ab'.repeat(32);
const FUNDS = 100_000_000n;
/** An hour of one core, and the least that is paid of it. */
const HOUR = 500_000n;
const MINUTE = 8_334n;

let database: TestDatabase;
let engine: Engine;
let api: ApiServer;
let projecting: Promise<void>;
const stop = new AbortController();

/** Nodes that create, attest and destroy whatever they are asked for. */
const willing = {
  'enclave.createOnNode': async () => [{ type: 'enclave.created', enclaveKey: HEX }],
  'enclave.attest': async () => [
    {
      type: 'enclave.attested',
      reportHash: HEX,
      measurement: 'ab'.repeat(48),
      nonce: HEX,
      label: 'simulated',
      steps: [],
      attestedAt: now(),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    },
  ],
  'enclave.destroyOnNode': async (): Promise<EnclaveDestroyed[]> => [
    { type: 'enclave.destroyed', reason: 'told to', confirmed: true },
  ],
};

beforeAll(async () => {
  database = await createTestDatabase();
  const address = await temporalAddress();
  engine = await openEngine({ databaseUrl: database.url, address, activities: () => willing });
  const log = pino({ level: 'silent' });
  projecting = createRunner({ pool: engine.pool, store: engine.store, log }).run(READ_MODELS, stop.signal);
  const { url: databaseUrl } = database;
  const { pool, store, taskQueue } = engine;
  api = await startApiServer({ databaseUrl, pool, store, temporalAddress: address, taskQueue });
});
afterAll(async () => {
  await api?.stop();
  stop.abort();
  await projecting;
  await engine?.stop();
  await database?.drop();
});

const ledger = async (): Promise<Ledger> =>
  foldStream(LEDGER_STREAM, await engine.store.readStream(LEDGER_STREAM)).context as Ledger;
const available = async (principal: string): Promise<bigint> =>
  balanceOf(await ledger(), account.available(principal));

const newHost = async () => {
  const publicKey = randomBytes(32).toString('hex');
  const providerId = providerIdOf(publicKey);
  const { id: owner } = await api.enrol('provider');
  const facts = {
    infrastructureType: 'cloud_aws',
    asn: 64_500,
    region: 'region-1',
    tops: 1000,
    publicKey,
  } as const;
  const outcome = await engine.providers.execute(
    providerId,
    { type: 'register', providerId, owner, ...facts },
    { actor: owner, commandId: providerId },
  );
  if (!outcome.ok) throw new Error(outcome.message);
  return { providerId, owner };
};

const submitterWith = async (funds: bigint): Promise<Caller> => {
  const caller = await api.enrol('submitter');
  if (funds > 0n) await engine.fund(caller.id, funds);
  await caller.rest.store(MODULE, 'application/wasm');
  return caller;
};

describe('settled 41: an enclave without a job costs something', () => {
  const create = async ({ rest }: Caller, providerId: string) =>
    rest.post<{ enclave_id: string }>('/v1/fog/tee/create', {
      code_hash: sha256Of(MODULE),
      platform: 'amd_sev_snp',
      provider_id: providerId,
      memory_mb: 64,
      allow_simulated: true,
    });
  const terminate = ({ rest }: Caller, enclave_id: string) =>
    rest.post<{ state: string }>('/v1/fog/tee/terminate', { enclave_id });

  test('four at a time and no more; it holds an hour, and its end settles for the time used', async () => {
    const creator = await submitterWith(FUNDS);
    const host = await newHost();
    const hostHad = await available(host.owner);
    const made = [];
    for (let count = 0; count < 4; count++) made.push(await create(creator, host.providerId));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(await available(creator.id)).toBe(FUNDS - 4n * HOUR);
    const [enclaveId] = made.map(({ body }) => body.enclave_id) as [string];
    expect(balanceOf(await ledger(), account.rent(enclaveId))).toBe(HOUR);
    expectProblem(await create(creator, host.providerId), {
      status: 409,
      code: 'CONFLICT',
      errors: [{ field: 'enclaves', rule: 'at most 4 enclaves at once' }],
    });

    const stranger = await submitterWith(0n);
    expectProblem(await terminate(stranger, enclaveId), {
      status: 404,
      code: 'RESOURCE_NOT_FOUND',
      errors: [{ field: 'enclave_id', rule: 'an enclave that you created, and that no job has' }],
    });
    expect(await terminate(creator, enclaveId)).toMatchObject({ status: 200 });
    await expect.poll(() => available(host.owner), { timeout: 20_000 }).toBe(hostHad + MINUTE);
    expect(await available(creator.id)).toBe(FUNDS - 3n * HOUR - MINUTE);
    const balances = await ledger();
    expect([balanceOf(balances, account.rent(enclaveId)), total(balances)]).toEqual([0n, 0n]);
    // There is a place again.
    expect(await create(creator, host.providerId)).toMatchObject({ status: 201 });
    expect((await terminate(creator, enclaveId)).status).toBe(409);
  });

  test('nobody creates one without the money for it', async () => {
    const creator = await submitterWith(HOUR - 1n);
    const host = await newHost();
    for (let times = 0; times < 6; times++)
      expect(await create(creator, host.providerId)).toMatchObject({
        status: 402,
        body: { code: 'INSUFFICIENT_BALANCE' },
      });
  });
});

describe('settled 41: auctions of one submitter', () => {
  const inputs = { tier: 'bronze', required_tops: 500, utilization: 0.8, duration_seconds: 60 };
  const tooMany = {
    status: 409,
    code: 'CONFLICT' as const,
    errors: [{ field: 'auctions', rule: 'at most 16 open auctions at once' }],
  };

  const open = async ({ rest }: Caller, auction_seconds = 600) => {
    const { body } = await rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', inputs);
    const terms = { quote_id: body.quote_id, max_bid: '100', auction_seconds };
    return rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', terms);
  };

  test('sixteen are open at once and no more, asked for together or not, on their own or with a job', async () => {
    const submitter = await submitterWith(FUNDS);
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(submitter)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array.from({ length: 16 }, () => 201),
      ...Array.from({ length: 4 }, () => 409),
    ]);
    expectProblem(await open(submitter), tooMany);
    const job = { ...inputs, code_hash: sha256Of(MODULE), max_price_micro: '100', allow_simulated: true };
    const submit = (max_wait_seconds: number) =>
      submitter.rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', { ...job, max_wait_seconds });
    expectProblem(await submit(0), tooMany);
    // 100 in escrow, a fee of 1 and 120 s of the award for each.
    expect(await available(submitter.id)).toBe(FUNDS - 16n * (101n + 37_038n));
    expect(await open(await submitterWith(FUNDS))).toMatchObject({ status: 201 });
    // A job that may wait does so, for one of them to close.
    const waiting = await submit(60);
    expect(waiting).toMatchObject({ status: 202, body: { state: 'queued' } });
    const { body } = await submitter.rest.get<{ timeline: { event: string }[] }>(
      `/v1/fog/scheduler/status/${waiting.body.job_id}?wait_for=quoted&timeout=2`,
    );
    expect(body).toMatchObject({ state: 'queued', queue_position: 1 });
  });

  test('a second use of a quote takes no place, and gives none back', async () => {
    const submitter = await submitterWith(FUNDS);
    const { body } = await submitter.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', inputs);
    const terms = { quote_id: body.quote_id, auction_seconds: 600 };
    const statuses = [];
    for (let times = 0; times < 20; times++)
      statuses.push((await submitter.rest.post('/v1/fog/pricing/auction', terms)).status);
    expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const more = await Promise.all(Array.from({ length: 16 }, () => open(submitter)));
    expect(more.filter(({ status }) => status === 201)).toHaveLength(15);
  });

  test('one that is over leaves its place', async () => {
    const submitter = await submitterWith(FUNDS);
    const short = await Promise.all(Array.from({ length: 16 }, () => open(submitter, 1)));
    expect(short.every(({ status }) => status === 201)).toBe(true);
    await expect.poll(async () => (await open(submitter)).status, { timeout: 30_000 }).toBe(201);
  });
});
