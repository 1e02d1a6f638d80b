import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandIdOf } from '../../api/idempotency.ts';
import { domainEventOf } from '../../domain/event.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { balanceOf, emptyLedger, foldLedger, type Ledger, total } from '../../domain/ledger/fold.ts';
import type { EventStore, StreamAppend } from '../../domain/ports/event-store.ts';
import { newApiKey } from '../../infra/keys/api-key.ts';
import { createEnrolment } from '../../infra/keys/enrolment.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { COMMAND_KEY_FILE } from '../support/command-keys.ts';
import { silentEffects } from '../support/commands/given.ts';
import { type DeafWay, openDeafWay } from '../support/deaf-way.ts';
import { type Engine, now, openEngine } from '../support/open-engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newProviderKey } from '../support/provider-key.ts';
import { type Answer, byToken, createRest, type Rest, sha256Of } from '../support/rest.ts';
import { temporalAddress } from '../support/temporal.ts';

/** (module (memory (export "memory") 1) (func (export "_start"))) */
const MODULE = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f72790200065f737461727400000a040102000b',
  'hex',
);
const WORKER = fileURLToPath(new URL('./killed-worker.ts', import.meta.url));
const API = fileURLToPath(new URL('./killed-api.ts', import.meta.url));
const QUOTE = { tier: 'bronze', required_tops: 500, utilization: 0.8, duration_seconds: 60 };

let database: TestDatabase;
let home: string;
let engine: Engine;
let way: DeafWay;
let projecting: Promise<void>;
const stopProjector = new AbortController();

let api: ChildProcess;
let url: string;

/** What the worker does once a step that answers a command is committed, before anybody hears of it. */
let onCommitted: ((requests: readonly StreamAppend[]) => Promise<void>) | null = null;

const wrap = (store: EventStore): EventStore => {
  const told = async <Result>(
    requests: readonly StreamAppend[],
    appended: Promise<Result>,
  ): Promise<Result> => {
    const result = await appended;
    await onCommitted?.(requests);
    return result;
  };
  return {
    ...store,
    append: (request, origin) => told([request], store.append(request, origin)),
    appendMany: (requests, origin) => told(requests, store.appendMany(requests, origin)),
  };
};

const startApi = async (): Promise<void> => {
  api = spawn(process.execPath, [API, engine.taskQueue], {
    env: {
      ...process.env,
      AIVILLAGE_HOME: home,
      DATABASE_URL: way.url,
      TEMPORAL_ADDRESS: await temporalAddress(),
      RATE_LIMIT_ANONYMOUS: '10000',
      RATE_LIMIT_AUTHENTICATED: '10000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(api.stdout as NonNullable<typeof api.stdout>, 'data')) as [Buffer];
  url = `http://127.0.0.1:${port.toString().trim()}`;
};

const killApi = async (): Promise<void> => {
  const exited = once(api, 'exit');
  api.kill('SIGKILL');
  await exited;
};

beforeAll(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), 'aivillage-killed-api-'));
  await mkdir(join(home, 'keys'));
  for (const name of ['master.key', 'engine.key', 'anchor.key'])
    await writeFile(join(home, 'keys', name), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  await writeFile(join(home, 'keys', 'commands.key'), COMMAND_KEY_FILE, { mode: 0o600 });
  engine = await openEngine({
    databaseUrl: database.url,
    address: await temporalAddress(),
    activities: () => ({ ...silentEffects(), ...ATTESTING }),
    wrap,
  });
  way = await openDeafWay(database.url);
  projecting = createRunner({
    pool: engine.pool,
    store: engine.store,
    log: pino({ level: 'silent' }),
  }).run(READ_MODELS, stopProjector.signal);
  await startApi();
});
afterAll(async () => {
  if (api?.exitCode === null) await killApi();
  stopProjector.abort();
  await projecting;
  way?.close();
  await engine?.stop();
  await database?.drop();
  await rm(home, { recursive: true, force: true });
});

/** Enclaves attest at once; what they run is nobody's affair here. */
const ATTESTING = {
  'enclave.createOnNode': async () => [{ type: 'enclave.created', enclaveKey: 'ab'.repeat(32) }],
  'enclave.attest': async () => [
    {
      type: 'enclave.attested',
      reportHash: 'ab'.repeat(32),
      measurement: 'ab'.repeat(48),
      nonce: 'ab'.repeat(32),
      label: 'simulated',
      steps: [],
      attestedAt: now(),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    },
  ],
};

interface Person {
  readonly id: string;
  /** At whichever API runs now. */
  readonly rest: () => Rest;
}

const enrol = async (
  ...roles: Parameters<ReturnType<typeof createEnrolment>['enrolApiKey']>[1][number][]
): Promise<Person> => {
  const apiKey = newApiKey();
  const enrolled = await createEnrolment({ pool: engine.pool, store: engine.store, now }).enrolApiKey(
    apiKey,
    roles,
  );
  if (!enrolled.ok) throw new Error(enrolled.message);
  const { body } = await createRest(url).post<{ access_token: string }>('/v1/auth/token', {
    api_key: apiKey,
  });
  const id = enrolled.value.subjectId;
  await engine.fund(id, 100_000_000n);
  return { id, rest: () => createRest(url, byToken(body.access_token)) };
};

const ledger = async (): Promise<Ledger> => {
  const events = await engine.store.readStream(LEDGER_STREAM);
  const folded = foldLedger(
    emptyLedger,
    events.map((event) => domainEventOf<LedgerEvent>(event)),
  );
  expect(total(folded)).toBe(0n);
  return folded;
};

/** Asks, has something die between commit and answer, and brings it back; the first answer where there was one. */
type Killing = (ask: () => Promise<Answer<unknown>>, commandId: string) => Promise<Answer<unknown> | null>;

/** Whether the connection broke before there was an answer. */
const brokenOff = (ask: () => Promise<unknown>): Promise<boolean> =>
  ask().then(
    () => false,
    () => true,
  );

/** Kills the API when its own append is committed; the caller's connection breaks. */
const behindItsAppend: Killing = async (ask) => {
  const committed = way.loseNextReply();
  const asked = brokenOff(ask);
  await committed;
  await killApi();
  expect(await asked).toBe(true);
  await startApi();
  return null;
};

/** Kills the API when the worker has committed what it asked for, before the worker hears of it. */
const behindTheWorkersAppend: Killing = async (ask, commandId) => {
  const died = Promise.withResolvers<void>();
  onCommitted = async (requests) => {
    if (!requests.some(({ events }) => events.some(({ causationId }) => causationId === commandId))) return;
    onCommitted = null;
    await killApi();
    died.resolve();
  };
  const asked = brokenOff(ask);
  await died.promise;
  expect(await asked).toBe(true);
  await startApi();
  return null;
};

/** Kills the worker when it has committed what it was asked for; another takes its place. */
const withTheWorker: Killing = async (ask, commandId) => {
  const { asked } = await engine.withoutWorker(async () => {
    const args = [WORKER, database.url, await temporalAddress(), engine.taskQueue, commandId];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(worker.stdout, 'data');
    const asking = ask();
    await once(worker, 'exit');
    return { asked: asking };
  });
  return asked;
};

/** Sends a keyed request whose API or worker dies between commit and answer, and then again, twice: what the caller is told. */
const sentAgain = async <Body>(
  { id, rest }: Person,
  path: string,
  body: object,
  killing: Killing,
  route = path,
): Promise<Answer<Body>> => {
  const key = randomBytes(8).toString('hex');
  const first = await killing(() => rest().post(path, body, key), commandIdOf(id, `POST ${route}`, key));
  const answer = await rest().post<Body>(path, body, key);
  const again = await rest().post<Body>(path, body, key);
  const told = { status: answer.status, body: answer.body };
  expect({ status: again.status, body: again.body }).toEqual(told);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  // Not told at all, told to try again, or told the same.
  if (first && first.status < 500) expect({ status: first.status, body: first.body }).toEqual(told);
  return answer;
};

const available = async ({ id }: Person): Promise<bigint> => balanceOf(await ledger(), account.available(id));

const newProvider = async (): Promise<Person & { readonly providerId: string }> => {
  const person = await enrol('provider');
  const { body } = await person.rest().post<{ provider_id: string }>('/v1/providers', {
    owner: person.id,
    infrastructure_type: 'cloud_aws',
    asn: 64_500,
    region: 'region-a',
    tops: 1000,
    ...newProviderKey(person.id),
  });
  const providerId = body.provider_id;
  const outcome = await engine.providers.execute(
    providerId,
    {
      type: 'attest',
      platform: 'amd_sev_snp',
      label: 'simulated',
      reportHash: '00',
      nonce: '00',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    },
    { actor: person.id, commandId: `attest-${providerId}` },
  );
  if (!outcome.ok) throw new Error(outcome.message);
  await person.rest().get(`/v1/providers/${providerId}?after=${outcome.position}`);
  return { ...person, providerId };
};

const quoteFor = async ({ rest }: Person): Promise<string> => {
  const { body } = await rest().post<{ quote_id: string }>('/v1/fog/pricing/quote', QUOTE);
  return body.quote_id;
};

/** Who dies behind what a worker commits. */
const BEHIND = [
  { name: 'the API', killing: behindTheWorkersAppend },
  { name: 'the worker', killing: withTheWorker },
] as const;

describe('between commit and answer the API or the worker is killed; the same Idempotency-Key again gets what happened', () => {
  test('POST /v1/providers: registered once', { timeout: 120_000 }, async () => {
    const person = await enrol('provider');
    const answer = await sentAgain<{ provider_id: string; position: string }>(
      person,
      '/v1/providers',
      {
        owner: person.id,
        infrastructure_type: 'cloud_aws',
        asn: 64_500,
        region: 'region-a',
        tops: 1000,
        ...newProviderKey(person.id),
      },
      behindItsAppend,
    );
    expect(answer.status).toBe(201);
    const events = await engine.store.readStream(answer.body.provider_id);
    expect(events.map(({ type, position }) => [type, String(position)])).toEqual([
      ['provider.registered', answer.body.position],
    ]);
  });

  test('POST …/stake: 300 once, not 600', { timeout: 120_000 }, async () => {
    const person = await newProvider();
    const { providerId } = person;
    const path = `/v1/providers/${providerId}/stake`;
    const answer = await sentAgain(person, path, { amount: '300' }, behindItsAppend);
    expect(answer).toMatchObject({ status: 200, body: { stake: '300' } });
    expect(balanceOf(await ledger(), account.stake(providerId))).toBe(300n);
    expect(await available(person)).toBe(100_000_000n - 300n);
  });

  test.each(BEHIND)(
    'POST …/pricing/auction: one auction, with the terms as they were opened; $name dies',
    { timeout: 120_000 },
    async ({ killing }) => {
      const person = await enrol('submitter');
      const quote_id = await quoteFor(person);
      const answer = await sentAgain<{
        auction_id: string;
        escrow: string;
        opening_fee: string;
        reservation: string;
        closes_at: string;
      }>(person, '/v1/fog/pricing/auction', { quote_id, auction_seconds: 3_600 }, killing);
      const [opened, ...others] = await engine.store.readStream(answer.body.auction_id);
      expect(others).toEqual([]);
      expect(answer).toMatchObject({
        status: 201,
        body: { state: 'open', closes_at: opened?.data['closesAt'], ceiling: opened?.data['ceiling'] },
      });
      const { escrow, opening_fee, reservation } = answer.body;
      const spent = BigInt(escrow) + BigInt(opening_fee) + BigInt(reservation);
      expect(await available(person)).toBe(100_000_000n - spent);
    },
  );

  test.each(BEHIND)(
    'POST …/pricing/bid: one bid, one deposit; $name dies',
    { timeout: 120_000 },
    async ({ killing }) => {
      const submitter = await enrol('submitter');
      const bidder = await newProvider();
      await engine.stake(bidder.providerId, bidder.id, 1000);
      const { body: auction } = await submitter
        .rest()
        .post<{ auction_id: string; deposit: string }>('/v1/fog/pricing/auction', {
          quote_id: await quoteFor(submitter),
          auction_seconds: 3_600,
        });
      const answer = await sentAgain<{ bid_id: string; deposit: string; position: string }>(
        bidder,
        '/v1/fog/pricing/bid',
        { auction_id: auction.auction_id, price: '1' },
        killing,
      );
      const [, placed, ...others] = await engine.store.readStream(auction.auction_id);
      expect(others).toEqual([]);
      expect(answer).toMatchObject({
        status: 201,
        body: { bid_id: placed?.data['bidId'], deposit: auction.deposit, auction_id: auction.auction_id },
      });
      expect(await available(bidder)).toBe(100_000_000n - BigInt(auction.deposit));
    },
  );

  test.each(BEHIND)(
    'POST …/scheduler/submit: the job id, not "quote already used"; $name dies',
    { timeout: 120_000 },
    async ({ killing }) => {
      const person = await enrol('submitter');
      await person.rest().store(MODULE, 'application/wasm');
      const answer = await sentAgain<{ job_id: string; auction_id: string; position: string }>(
        person,
        '/v1/fog/scheduler/submit',
        {
          quote_id: await quoteFor(person),
          code_hash: sha256Of(MODULE),
          allow_simulated: true,
          auction_seconds: 3_600,
        },
        killing,
      );
      expect(answer.status).toBe(202);
      const [submitted] = await engine.store.readStream(answer.body.job_id);
      expect(submitted).toMatchObject({
        type: 'job.submitted',
        data: { jobId: answer.body.job_id, auctionId: answer.body.auction_id, submitter: person.id },
      });
      const held =
        BigInt(submitted?.data['ceiling'] as string) * BigInt(submitted?.data['winners'] as number);
      const fee = BigInt(submitted?.data['openingFee'] as string);
      expect(fee).toBeGreaterThan(0n);
      expect(await available(person)).toBe(100_000_000n - held - fee);
      // The money of a job stands behind its event.
      const last = await engine.store.readAll({ after: BigInt(answer.body.position) - 1n, limit: 1 });
      expect(last).toMatchObject([{ stream: LEDGER_STREAM, causationId: submitted?.id }]);
    },
  );

  test.each(BEHIND)(
    'POST …/tee/create: one enclave; $name dies',
    { timeout: 120_000 },
    async ({ killing }) => {
      const person = await enrol('submitter');
      const { providerId } = await newProvider();
      await person.rest().store(MODULE, 'application/wasm');
      const answer = await sentAgain<{ enclave_id: string }>(
        person,
        '/v1/fog/tee/create',
        {
          code_hash: sha256Of(MODULE),
          platform: 'amd_sev_snp',
          provider_id: providerId,
          memory_mb: 64,
          allow_simulated: true,
        },
        killing,
      );
      expect(answer).toMatchObject({ status: 201, body: { provider_id: providerId } });
      const events = await engine.store.readStream(answer.body.enclave_id);
      expect(events.map(({ type }) => type)).toEqual([
        'enclave.requested',
        'enclave.created',
        'enclave.attested',
      ]);
      const requested = await engine.store.readAll({ after: 0n, limit: 100, types: ['enclave.requested'] });
      expect(requested.filter(({ actor }) => actor === person.id)).toHaveLength(1);
    },
  );

  test('POST /v1/ledger/credit with no projector: booked once, and told so', {
    timeout: 120_000,
  }, async () => {
    const [admin, person] = [await enrol('admin'), await enrol('submitter')];
    stopProjector.abort();
    await projecting;
    const credit = {
      account_id: person.id,
      amount: '500',
      reference: `ref-${randomBytes(6).toString('hex')}`,
    };
    const answer = await sentAgain(admin, '/v1/ledger/credit', credit, behindItsAppend);
    expect(answer).toMatchObject({ status: 201, body: { account_id: person.id, balance: '100000500' } });
    expect(await available(person)).toBe(100_000_500n);
  });
});
