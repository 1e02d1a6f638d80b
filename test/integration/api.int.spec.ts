import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../api/problem.ts';
import { newApiKey } from '../../infra/keys/api-key.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { type Engine, openEngine } from '../support/open-engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newProviderKey } from '../support/provider-key.ts';
import { byToken, createRest, expectProblem, sha256Of } from '../support/rest.ts';
import { temporalAddress } from '../support/temporal.ts';
import { rowsThatTell } from '../support/traces.ts';

const GOLD = { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 7200 };
const log = pino({ level: 'silent' });
/** (module (memory (export "memory") 1) (func (export "_start"))) */
const MODULE = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f72790200065f737461727400000a040102000b',
  'hex',
);

interface EventPage {
  readonly events: readonly {
    readonly type: string;
    readonly stream: string;
    readonly position: string;
    readonly hash: string;
    readonly prev_hash: string;
    readonly data: Readonly<Record<string, unknown>>;
  }[];
  readonly next_from: string;
}
interface Opened {
  readonly auction_id: string;
  readonly opening_fee: string;
  readonly position: string;
}
interface Account {
  readonly available: string;
}

let database: TestDatabase;
let engine: Engine;
let api: ApiServer;
let projecting: Promise<void>;
const stop = new AbortController();

let admin: Caller;
let submitter: Caller;
let auditor: Caller;

const fund = async (caller: Caller, amount = '100000000') => {
  const credit = { account_id: caller.id, amount, reference: `test-${randomBytes(6).toString('hex')}` };
  expect((await admin.rest.post('/v1/ledger/credit', credit)).status).toBe(201);
};

/** A funded owner with a listed provider, all of it made over HTTP but the attestation, which needs a node. */
const bidder = async (
  index: number,
  infrastructureType: string,
): Promise<Caller & { providerId: string }> => {
  const caller = await api.enrol('provider');
  await fund(caller);
  const registered = await caller.rest.post<{ provider_id: string }>('/v1/providers', {
    owner: caller.id,
    infrastructure_type: infrastructureType,
    asn: 64_500 + index,
    region: `region-${index}`,
    tops: 1000,
    ...newProviderKey(caller.id),
  });
  expect(registered.status).toBe(201);
  const providerId = registered.body.provider_id;
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
    { actor: caller.id, commandId: providerId },
  );
  if (!outcome.ok) throw new Error(outcome.message);
  await engine.stake(providerId, caller.id, 1000);
  const listed = await caller.rest.get(`/v1/providers/${providerId}?after=${outcome.position}`);
  expect(listed.body).toMatchObject({ state: 'listed', trust: { alpha: 1, beta: 1, uncertainty: 1 } });
  return { ...caller, providerId };
};

beforeAll(async () => {
  database = await createTestDatabase();
  const address = await temporalAddress();
  engine = await openEngine({ databaseUrl: database.url, address });
  projecting = createRunner({ pool: engine.pool, store: engine.store, log }).run(READ_MODELS, stop.signal);
  api = await startApiServer({
    databaseUrl: database.url,
    pool: engine.pool,
    store: engine.store,
    temporalAddress: address,
    taskQueue: engine.taskQueue,
  });
  admin = await api.enrol('admin');
  submitter = await api.enrol('submitter');
  auditor = await api.enrol('auditor');
  await fund(submitter);
});
afterAll(async () => {
  await api?.stop();
  stop.abort();
  await projecting;
  await engine?.stop();
  await database?.drop();
});

describe('sign-in', () => {
  const keyPair = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const hex = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
    return { hex, sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64url') };
  };

  it('J1.1: enrols an unknown key as provider by a signed challenge, once per challenge', async () => {
    const key = keyPair();
    const asked = await api.anybody.post<{ challenge: string }>('/v1/auth/token', {
      public_key: key.hex,
      role: 'provider',
    });
    expect(asked.status).toBe(200);
    const { challenge } = asked.body;
    const wrong = { public_key: key.hex, challenge, signature: keyPair().sign(challenge) };
    expect((await api.anybody.post('/v1/auth/token', wrong)).status).toBe(401);
    const answer = { public_key: key.hex, challenge, signature: key.sign(challenge) };
    const granted = await api.anybody.post<{ access_token: string }>('/v1/auth/token', answer);
    expect(granted).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 900, roles: ['provider'] },
    });
    expect((await api.anybody.post('/v1/auth/token', answer)).status).toBe(401);
    const rest = createRest(api.url, byToken(granted.body.access_token));
    expect((await rest.get('/v1/system/info')).status).toBe(200);
    expect((await rest.get('/v1/system/metrics')).status).toBe(403);
  });

  it('J1.1: grants no other role to an unknown key, and no role that a key does not hold', async () => {
    const role = await api.anybody.post('/v1/auth/token', { public_key: keyPair().hex, role: 'submitter' });
    expect(role).toMatchObject({ status: 403, body: { code: 'AUTHORIZATION_FAILED' } });
    expect((await api.anybody.post('/v1/auth/token', { api_key: newApiKey() })).status).toBe(401);
    expect((await api.anybody.post('/v1/auth/token', { api_key: 'x', public_key: 'y' })).status).toBe(422);
  });

  it('D11: publishes the key that signs', async () => {
    const { body } = await api.anybody.get<{ keys: { kid: string }[] }>('/.well-known/jwks.json');
    const [header = ''] = submitter.token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    expect(body.keys.map((key) => key.kid)).toEqual([kid]);
  });
});

describe('system', () => {
  it('R10, R12: tells health by component, causes for operators only', async () => {
    const health = await api.anybody.get('/v1/system/health');
    expect(health.status).toBe(200);
    expect(health.body).toMatchObject({
      components: {
        postgres: { status: 'ok' },
        temporal: { status: 'ok' },
        zk_predicates: { status: 'ok' },
        neo4j: { status: 'off' },
      },
    });
    expect(JSON.stringify(health.body)).not.toContain('cause');
    expect((await api.anybody.get('/v1/system/health/live')).body).toEqual({ status: 'ok' });
    expect((await api.anybody.get('/v1/system/health/ready')).body).toEqual({ status: 'ok', failing: [] });
  });

  it('names every process that should be there and is not', async () => {
    const components = async () =>
      (await api.anybody.get<{ components: object }>('/v1/system/health')).body.components;
    await expect.poll(components, { timeout: 30_000 }).toMatchObject({
      apis: { status: 'ok', have: 1, expected: 1, missing: [] },
      workers: { status: 'down', have: 0, expected: 1, missing: ['worker'] },
      projectors: { status: 'down', have: 0, expected: 1, missing: ['projector'] },
    });
  });

  it('R13, R14: serves info and metrics', async () => {
    expect((await submitter.rest.get('/v1/system/info')).body).toMatchObject({
      title: 'AIVillage Enhanced API',
      version: '3.0.0',
    });
    const metrics = await admin.rest.get<{ requests: number; lag: object }>('/v1/system/metrics');
    expect(metrics.body.requests).toBeGreaterThan(0);
    expect(Object.keys(metrics.body.lag)).toContain('jobs');
    expect((await admin.rest.get<string>('/metrics')).body).toContain(
      'projection_lag_events{projection="jobs"}',
    );
  });

  it('serves the document that is checked in', async () => {
    const served = await api.anybody.get('/openapi.json');
    expect(served.body).toEqual(JSON.parse(await readFile('openapi.json', 'utf8')));
  });
});

describe('artefacts', () => {
  it('keeps a module for its owner alone', async () => {
    const path = `/v1/artifacts/${sha256Of(MODULE)}`;
    const stored = await submitter.rest.store(MODULE, 'application/wasm');
    expect(stored).toMatchObject({
      status: 200,
      body: { size: MODULE.length, media_type: 'application/wasm' },
    });
    expect((await submitter.rest.get(path)).status).toBe(200);
    expect((await (await api.enrol('submitter')).rest.get(path)).status).toBe(404);
  });

  it('refuses a truncated module, whatever it says it is, and a wrong hash', async () => {
    const cut = MODULE.subarray(0, MODULE.length - 4);
    for (const type of ['application/wasm', 'application/octet-stream']) {
      const refused = await submitter.rest.store<Problem>(cut, type);
      expect(refused).toMatchObject({ status: 422, body: { code: 'INVALID_REQUEST' } });
      expect(refused.body.errors).not.toHaveLength(0);
    }
    expect(await submitter.rest.store(MODULE, 'application/wasm', '0'.repeat(64))).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'sha256' }] },
    });
  });
});

describe('ledger', () => {
  it('R168: credits once per reference and key; shows balances to their owner and auditors', async () => {
    const caller = await api.enrol('submitter');
    const credit = { account_id: caller.id, amount: '500', reference: `ref-${caller.id}` };
    const first = await admin.rest.post<{ position: string }>('/v1/ledger/credit', credit, 'credit-1');
    const replay = await admin.rest.post('/v1/ledger/credit', credit, 'credit-1');
    expect(first).toMatchObject({ status: 201, body: { balance: '500' } });
    expect(replay.body).toEqual(first.body);
    expect((await admin.rest.post('/v1/ledger/credit', credit)).status).toBe(409);
    for (const reader of [caller, auditor]) {
      const account = await reader.rest.get(`/v1/ledger/accounts/${caller.id}?after=${first.body.position}`);
      expect(account).toMatchObject({
        status: 200,
        body: { available: '500', escrow: '0', stake: '0', total: '0' },
      });
    }
    expect((await submitter.rest.get(`/v1/ledger/accounts/${caller.id}`)).status).toBe(404);
    expect((await caller.rest.post('/v1/ledger/credit', credit)).status).toBe(403);
    const nobody = { ...credit, account_id: 'subject-00000000000000000000000000', reference: 'x' };
    expect((await admin.rest.post('/v1/ledger/credit', nobody)).status).toBe(404);
  });
});

describe('providers', () => {
  it('J1.2, J1.6: registers an own key once and locks stake', async () => {
    const caller = await api.enrol('provider');
    const request = {
      owner: caller.id,
      infrastructure_type: 'edge_devices',
      asn: 1,
      region: 'r',
      tops: 500,
      ...newProviderKey(caller.id),
    };
    const { proof_of_possession: _, ...unproved } = request;
    const { proof_of_possession } = newProviderKey(caller.id);
    for (const body of [unproved, { ...unproved, proof_of_possession }]) {
      expectProblem(await caller.rest.post('/v1/providers', body), {
        status: 403,
        code: 'AUTHORIZATION_FAILED',
        errors: [{ field: 'proof_of_possession', rule: 'a signature by pubkey that names you as owner' }],
      });
    }
    const made = await caller.rest.post<{ provider_id: string }>('/v1/providers', request);
    expect(made).toMatchObject({
      status: 201,
      body: { state: 'probation', trust: { alpha: 1, beta: 1, uncertainty: 1 } },
    });
    expect((await caller.rest.post('/v1/providers', request)).status).toBe(409);
    expect((await caller.rest.post('/v1/providers', { ...request, owner: submitter.id })).status).toBe(403);
    expect(
      (await caller.rest.post('/v1/providers', { ...request, infrastructure_type: 'moon' })).status,
    ).toBe(422);
    const stake = `/v1/providers/${made.body.provider_id}/stake`;
    expect((await caller.rest.post(stake, { amount: '10' })).status).toBe(402);
    await fund(caller, '10');
    expect(await caller.rest.post(stake, { amount: '10' })).toMatchObject({
      status: 200,
      body: { stake: '10', probation_share: 0.05 },
    });
    expect((await (await api.enrol('provider')).rest.post(stake, { amount: '1' })).status).toBe(404);
    const score = await caller.rest.get(`/v1/fog/reputation/score?entity_id=${made.body.provider_id}`);
    expect(score.body).toMatchObject({
      mean: 0.5,
      uncertainty: 1,
      flagged: true,
      tier: 'probation',
      probation_share: 0.05,
    });
  });

  it('settled 42: gives stake back after a day, to its owner', async () => {
    const caller = await bidder(30, 'edge_devices');
    const { providerId } = caller;
    const path = `/v1/providers/${providerId}`;
    const ask = (amount: string, by: Caller = caller) => by.rest.post(`${path}/unstake`, { amount });
    expectProblem(await ask('111113'), { status: 402, code: 'INSUFFICIENT_BALANCE' });
    expectProblem(await ask('1', submitter), { status: 403, code: 'AUTHORIZATION_FAILED' });
    expectProblem(await ask('1', await api.enrol('provider')), { status: 404, code: 'RESOURCE_NOT_FOUND' });
    const asked = await caller.rest.post<{ position: string }>(`${path}/unstake`, { amount: '111112' });
    const unbonding = [{ amount: '111112', releases_at: expect.any(String) as string }];
    expect(asked).toMatchObject({ status: 200, body: { stake: '111112', unbonding } });
    expectProblem(await caller.rest.post(`${path}/withdraw`, {}), { status: 409, code: 'CONFLICT' });
    expect(await caller.rest.get(`${path}?after=${asked.body.position}`)).toMatchObject({
      status: 200,
      body: { stake: '111112', required_stake: '111112', unbonding },
    });
  });

  it('settled 39: takes a bond for a barred provider of its own, and gives it back', async () => {
    const caller = await bidder(31, 'edge_devices');
    const { providerId } = caller;
    const path = `/v1/providers/${providerId}`;
    const post = (amount: string, by: Caller = caller) => by.rest.post(`${path}/bond`, { amount });
    expectProblem(await post('111112'), { status: 409, code: 'CONFLICT' });
    const faults = { type: 'record-evidence', evidenceId: 'job-1@1', reason: 'deviation' } as const;
    const fault = await engine.providers.execute(providerId, faults, {
      actor: 'engine',
      commandId: `${providerId}/fault`,
    });
    if (!fault.ok) throw new Error(fault.message);
    const score = (after: string) =>
      caller.rest.get(`/v1/fog/reputation/score?entity_id=${providerId}&after=${after}`);
    expect((await score(fault.position ?? '0')).body).toMatchObject({
      tier: 'refused',
      barred: true,
      bonded: false,
    });
    expectProblem(await post('111112', submitter), { status: 403, code: 'AUTHORIZATION_FAILED' });
    expectProblem(await post('111112', await api.enrol('provider')), {
      status: 404,
      code: 'RESOURCE_NOT_FOUND',
    });
    expectProblem(await post('111111'), {
      status: 422,
      code: 'INVALID_REQUEST',
      errors: [{ field: 'amount', rule: 'at least 111112 micro-units' }],
    });
    expectProblem(await post('100000000000'), { status: 402, code: 'INSUFFICIENT_BALANCE' });
    const key = `bond-${providerId}`;
    const again = () => caller.rest.post<{ position: string }>(`${path}/bond`, { amount: '111112' }, key);
    const posted = await again();
    expect(posted).toMatchObject({ status: 200, body: { bond: '111112' } });
    const { position } = posted.body;
    expect((await score(position)).body).toMatchObject({ tier: 'probation', barred: true, bonded: true });
    expect((await caller.rest.get(`${path}?after=${position}`)).body).toMatchObject({
      bond: '111112',
      required_bond: '111112',
    });
    expect((await caller.rest.get(`/v1/ledger/accounts/${caller.id}?after=${position}`)).body).toMatchObject({
      bonds: '111112',
      total: '0',
    });
    const back = await caller.rest.post<{ position: string }>(`${path}/bond/withdraw`, {});
    expect(back).toMatchObject({ status: 200, body: { bond: '0' } });
    expectProblem(await caller.rest.post(`${path}/bond/withdraw`, {}), { status: 409, code: 'CONFLICT' });
    // Asked again it is the same bond, and no other is posted.
    expect(await again()).toMatchObject({ status: 200, body: posted.body });
    expect((await score(back.body.position)).body).toMatchObject({ tier: 'refused', bonded: false });
  });
});

describe('quotes', () => {
  it('R56-R58: prices exactly, by query and by body', async () => {
    const expected = {
      h200_hours: '0.888889',
      ceiling: '888889',
      rate: '1000000',
      winners: 3,
      maximum_total: '2666667',
      t_ref: 900,
    };
    const query = 'tier=gold&required_tops=500&utilization=0.8&duration_seconds=7200';
    expect((await submitter.rest.get(`/v1/fog/pricing/quote?${query}`)).body).toMatchObject(expected);
    expect((await submitter.rest.post('/v1/fog/pricing/quote', GOLD)).body).toMatchObject(expected);
  });

  it('D1: prices by the reference that the installation is set to, and says which', async () => {
    const other = await startApiServer({
      databaseUrl: database.url,
      pool: engine.pool,
      store: engine.store,
      temporalAddress: await temporalAddress(),
      taskQueue: engine.taskQueue,
      environment: { H200_REFERENCE_TOPS: '1800' },
    });
    try {
      const caller = await other.enrol('submitter');
      await fund(caller);
      const quote = await caller.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', GOLD);
      expect(quote.body).toMatchObject({ h200_hours: '0.444444', ceiling: '444444', t_ref: 1800 });
      // Bidders price by it too: the opening event is what they are told from.
      const { body } = await caller.rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', {
        quote_id: quote.body.quote_id,
        auction_seconds: 1,
      });
      const [opened] = await engine.store.readStream(body.auction_id);
      expect(opened?.data).toMatchObject({ tRef: 1800, ceiling: '444444' });
    } finally {
      await other.stop();
    }
  });

  it.each([
    [{ tier: 'diamond' }, 'tier'],
    [{ utilization: 1.2 }, 'utilization'],
    [{ required_tops: -1 }, 'required_tops'],
    [{ duration_seconds: 0 }, 'duration_seconds'],
  ])('R64: refuses %j by field and rule', async (change, field) => {
    const refused = await submitter.rest.post('/v1/fog/pricing/quote', { ...GOLD, ...change });
    expect(refused).toMatchObject({ status: 422, body: { code: 'INVALID_REQUEST', errors: [{ field }] } });
    const submit = { ...GOLD, ...change, code_hash: sha256Of(MODULE) };
    expect(await submitter.rest.post<{ job_id: string }>('/v1/fog/scheduler/submit', submit)).toMatchObject({
      status: 422,
      body: { errors: [{ field }] },
    });
  });
});

const newQuote = async (caller = submitter): Promise<string> =>
  (await caller.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', GOLD)).body.quote_id;

describe('auction', () => {
  it('J2.2: opens from a quote once, holds the escrow, refuses what is not covered', async () => {
    const quote = await newQuote();
    const body = { quote_id: quote, auction_seconds: 600 };
    const opened = await submitter.rest.post<Opened>('/v1/fog/pricing/auction', body, 'a-1');
    expect(opened).toMatchObject({
      status: 201,
      body: { state: 'open', k: 3, min_bidders: 4, ceiling: '888889', escrow: '2666667', deposit: '888889' },
    });
    const replay = await submitter.rest.post('/v1/fog/pricing/auction', body, 'a-1');
    expect(replay.body).toEqual(opened.body);
    expect(await submitter.rest.post('/v1/fog/pricing/auction', body)).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT' },
    });
    const poor = await api.enrol('submitter');
    const uncovered = await poor.rest.post('/v1/fog/pricing/auction', { quote_id: await newQuote(poor) });
    expect(uncovered).toMatchObject({ status: 402, body: { code: 'INSUFFICIENT_BALANCE' } });
    expect((await poor.rest.post('/v1/fog/pricing/auction', body)).status).toBe(404);
    const account = await submitter.rest.get(
      `/v1/ledger/accounts/${submitter.id}?after=${opened.body.position}`,
    );
    expect(account.body).toMatchObject({ escrow: '2666667', total: '0' });
    expect(
      (
        await submitter.rest.post('/v1/fog/pricing/bid', {
          auction_id: opened.body.auction_id,
          price: '1',
        })
      ).status,
    ).toBe(403);
  });

  it('J2.3, R70, settled 36: takes sealed bids, tells how many, who to auditors alone, and the price to nobody', async () => {
    const opened = await submitter.rest.post<Opened>('/v1/fog/pricing/auction', {
      quote_id: await newQuote(),
      auction_seconds: 600,
    });
    const auctionId = opened.body.auction_id;
    const [first, second] = [await bidder(1, 'cloud_aws'), await bidder(2, 'edge_devices')];
    const bid = (caller: Caller, price: string, key?: string) =>
      caller.rest.post<{ position: string }>('/v1/fog/pricing/bid', { auction_id: auctionId, price }, key);
    const view = async (caller: Caller, after: string) =>
      (await caller.rest.get(`/v1/fog/pricing/auctions/${auctionId}?after=${after}`)).body;
    expect(await view(first, opened.body.position)).toMatchObject({ state: 'open', bids: { count: 0 } });
    const placed = await bid(first, '700001', 'bid-1');
    expect(placed).toMatchObject({ status: 201, body: { auction_id: auctionId, deposit: '888889' } });
    expect(await bid(first, '600000')).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(await bid(second, '888890')).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'price' }] },
    });
    expect((await bid(await api.enrol('provider'), '1')).status).toBe(403);
    const { position: last } = (await bid(second, '600001')).body;
    expect(
      (
        await first.rest.post('/v1/fog/pricing/bid', {
          auction_id: 'auction-00000000000000000000000000',
          price: '1',
        })
      ).status,
    ).toBe(404);

    const bids = { count: 2, first_at: expect.any(String), last_at: expect.any(String) };
    for (const viewer of [auditor, submitter, first, await api.enrol('submitter')]) {
      const shown = await view(viewer, last);
      expect(shown).toMatchObject({ state: 'open', winners: [], bids });
      expect(shown).not.toHaveProperty('stats');
      expect(JSON.stringify(shown)).not.toMatch(/bid-|deposit|provider-|sealed/);
    }

    const read = async (caller: Caller, query: string) =>
      (await caller.rest.get<EventPage>(`/v1/events?limit=500&${query}`)).body.events;
    const types = async (caller: Caller, query: string) =>
      (await read(caller, query)).map(({ type }) => type);
    const placedTwice = ['auction.opened', 'auction.bid-placed', 'auction.bid-placed'];
    expect(await types(auditor, `stream=${auctionId}`)).toEqual(placedTwice);
    expect(await types(submitter, `stream=${auctionId}`)).toEqual(['auction.opened']);
    expect((await first.rest.get(`/v1/events?stream=${auctionId}`)).status).toBe(404);
    const from = `from=${BigInt(opened.body.position) - 1n}`;
    expect((await types(first, from)).filter((type) => type.startsWith('auction.'))).toEqual([
      'auction.bid-placed',
    ]);
    const boxes = (await read(auditor, `stream=${auctionId}`)).flatMap(({ data }) => data['sealed'] ?? []);
    expect(new Set(boxes.map((box) => (box as string).length)).size).toBe(1);
    expect(new Set(boxes).size).toBe(2);

    const account = `/v1/ledger/accounts/${first.id}?after=${last}`;
    for (const viewer of [first, auditor]) {
      const { body } = await viewer.rest.get<Account>(account);
      expect(body).toMatchObject({ available: '99111111', deposits: '888889' });
      expect(JSON.stringify(body)).toContain('deposit:bid-');
    }
    expect((await submitter.rest.get(account)).status).toBe(404);
    expect((await submitter.rest.get('/v1/events?stream=ledger-main')).status).toBe(404);

    expect(JSON.stringify(placed.body)).not.toContain('700001');
    expect(await rowsThatTell(engine.pool, '888889')).not.toEqual([]);
    for (const price of ['700001', '600001']) expect(await rowsThatTell(engine.pool, price)).toEqual([]);
  });

  it('refuses a late bid with AUCTION_EXPIRED, fails with too few owners and refunds all but its fee, and then shows its log', async () => {
    const late = await bidder(3, 'cloud_gcp');
    const before = await submitter.rest.get<Account>(`/v1/ledger/accounts/${submitter.id}`);
    const opened = await submitter.rest.post<Opened>('/v1/fog/pricing/auction', {
      quote_id: await newQuote(),
      auction_seconds: 1,
    });
    const auctionId = opened.body.auction_id;
    await expect
      .poll(async () => (await submitter.rest.get(`/v1/fog/pricing/auctions/${auctionId}`)).body, {
        timeout: 20_000,
      })
      .toMatchObject({ state: 'failed', reason: 'AUCTION_NOT_ENOUGH_BIDS', extended: true, winners: [] });
    const bid = { auction_id: auctionId, price: '5' };
    expect(await late.rest.post('/v1/fog/pricing/bid', bid)).toMatchObject({
      status: 409,
      body: { code: 'AUCTION_EXPIRED' },
    });
    const log = await auditor.rest.get<EventPage>(`/v1/events?stream=${auctionId}`);
    expect(log.body.events.map(({ type }) => type)).toEqual([
      'auction.opened',
      'auction.extended',
      'auction.failed',
    ]);
    expect(log.body.events[0]).toMatchObject({ workflowId: auctionId });
    const position = log.body.events[2]?.position;
    const after = await submitter.rest.get<Account>(`/v1/ledger/accounts/${submitter.id}?after=${position}`);
    const { opening_fee } = opened.body;
    expect(BigInt(opening_fee)).toBeGreaterThan(0n);
    expect(BigInt(after.body.available)).toBe(BigInt(before.body.available) - BigInt(opening_fee));
  });

  it('settled 41: costs something: no order below 100 micro-units per winner, no auction over an hour', async () => {
    const tooCheap = { quote_id: await newQuote(), max_bid: '99', auction_seconds: 1 };
    expect(await submitter.rest.post('/v1/fog/pricing/auction', tooCheap)).toMatchObject({
      status: 422,
      body: {
        code: 'INVALID_REQUEST',
        errors: [{ field: 'ceiling', rule: 'at least 100 micro-units per winner' }],
      },
    });
    for (const [field, value] of [
      ['auction_seconds', 3601],
      ['auction_duration_minutes', 61],
    ] as const)
      expect(
        await submitter.rest.post('/v1/fog/pricing/auction', { quote_id: await newQuote(), [field]: value }),
      ).toMatchObject({ status: 422, body: { errors: [{ field }] } });
  });
});

describe('events', () => {
  it('J4.1: shows own streams only, chained, page by page; a foreign stream is unknown', async () => {
    const caller = await api.enrol('submitter');
    const own = await caller.rest.get<EventPage>('/v1/events');
    expect(own.body.events.map(({ stream }) => stream)).toEqual([caller.id]);
    expect((await caller.rest.get(`/v1/events?stream=${submitter.id}`)).status).toBe(404);
    expect((await auditor.rest.get('/v1/events?stream=job-00000000000000000000000000')).status).toBe(404);

    const page = await auditor.rest.get<EventPage>('/v1/events?limit=2');
    const next = await auditor.rest.get<EventPage>(`/v1/events?limit=2&from=${page.body.next_from}`);
    const events = [...page.body.events, ...next.body.events];
    expect(events.map(({ position }) => position)).toEqual(['1', '2', '3', '4']);
    for (const [index, event] of events.entries()) {
      expect(event.prev_hash).toBe(index === 0 ? '0'.repeat(64) : events[index - 1]?.hash);
    }
  });
});

describe('jobs', () => {
  const submit = (body: object, key?: string) =>
    submitter.rest.post<{ job_id: string }>(
      '/v1/fog/scheduler/submit',
      { code_hash: sha256Of(MODULE), auction_seconds: 600, ...body },
      key,
    );

  it('J2.7: accepts a job once per quote and shows it to its submitter alone', async () => {
    const quote = await newQuote();
    const made = await submit({ quote_id: quote, allow_simulated: true }, 'j-1');
    expect(made.status).toBe(202);
    expect((await submit({ quote_id: quote, allow_simulated: true }, 'j-1')).body).toEqual(made.body);
    expect((await submit({ quote_id: quote, allow_simulated: true })).status).toBe(409);
    expect((await submitter.rest.post('/v1/fog/pricing/auction', { quote_id: quote })).status).toBe(409);
    const path = `/v1/fog/scheduler/status/${made.body.job_id}`;
    const status = await submitter.rest.get<{ timeline: object[] }>(path);
    expect(status).toMatchObject({
      status: 200,
      body: { job_id: made.body.job_id, tier: 'gold', ceiling_micro: '888889' },
    });
    expect(status.body.timeline[0]).toMatchObject({ event: 'job.submitted', workflow_id: made.body.job_id });
    expect((await auditor.rest.get(path)).status).toBe(200);
    expect((await (await api.enrol('submitter')).rest.get(path)).status).toBe(404);
    const queue = await submitter.rest.get<{
      own: { items: { job_id: string }[] };
      queue_stats: { total: number };
    }>('/v1/fog/scheduler/queue?limit=1');
    expect(queue.body.own.items[0]?.job_id).toBe(made.body.job_id);
    expect(queue.body.queue_stats.total).toBeGreaterThan(0);
  });

  it('waits for a state, and not longer than asked', async () => {
    const made = await submit({ ...GOLD, allow_simulated: true });
    const path = `/v1/fog/scheduler/status/${made.body.job_id}?wait_for`;
    const reached = await submitter.rest.get<{ state: string }>(`${path}=auctioning&timeout=20`);
    expect(reached.body.state).toBe('auctioning');
    const timedOut = await submitter.rest.get(`${path}=terminal&timeout=0.2`);
    expect(timedOut).toMatchObject({ status: 200, body: { state: 'auctioning' } });
    expect((await submitter.rest.get(`${path}=terminal&timeout=61`)).status).toBe(422);
    expect((await submitter.rest.get(`${path}=done`)).status).toBe(422);
  });

  it('names what is wrong with a submission', async () => {
    const unknown = 'f'.repeat(64);
    expect(await submit({ ...GOLD, code_hash: unknown })).toMatchObject({
      status: 404,
      body: { errors: [{ field: 'code_hash' }] },
    });
    expect(await submit({ ...GOLD, input_ref: unknown })).toMatchObject({
      status: 404,
      body: { errors: [{ field: 'input_ref' }] },
    });
    expect(await submit({ ...GOLD, memory_mb: 10_240 })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'memory_mb' }] },
    });
    expect((await submit({ quote_id: 'forged' })).status).toBe(404);
  });

  it('settled 45: prices memory with the quote, and lets a job have no more', async () => {
    const tiny = { ...GOLD, required_tops: 1 };
    const quoted = async (memory: object) =>
      (
        await submitter.rest.post<{ quote_id: string; ceiling: string; inputs: object }>(
          '/v1/fog/pricing/quote',
          { ...tiny, ...memory },
        )
      ).body;
    const [usual, large] = [await quoted({}), await quoted({ memory_mb: 4096 })];
    expect(usual).toMatchObject({ ceiling: '9259', inputs: { memory_mb: 256 } });
    // 4 GiB of 141 GB for two hours.
    expect(large).toMatchObject({ ceiling: '60922', inputs: { memory_mb: 4096 } });
    expectProblem(await submit({ quote_id: usual.quote_id, memory_mb: 257 }), {
      status: 422,
      code: 'INVALID_REQUEST',
      errors: [{ field: 'memory_mb', rule: 'at most the 256 that were quoted' }],
    });
    const jobOf = async (body: object) => {
      const made = await submit(body);
      expect(made.status).toBe(202);
      const [first] = await engine.store.readStream(made.body.job_id, { from: 0n, to: 0n });
      return first?.data;
    };
    expect(await jobOf({ quote_id: usual.quote_id })).toMatchObject({ memoryMb: 256, pricedMemoryMb: 256 });
    expect(await jobOf({ quote_id: large.quote_id, memory_mb: 300 })).toMatchObject({
      memoryMb: 300,
      pricedMemoryMb: 4096,
      ceiling: '60922',
    });
    expect(await jobOf({ ...tiny, memory_mb: 4096 })).toMatchObject({ memoryMb: 4096, ceiling: '60922' });
    const opened = await submitter.rest.post<{ auction_id: string; ceiling: string }>(
      '/v1/fog/pricing/auction',
      { quote_id: (await quoted({ memory_mb: 4096 })).quote_id, auction_seconds: 1 },
    );
    expect(opened).toMatchObject({ status: 201, body: { ceiling: '60922' } });
    const [first] = await engine.store.readStream(opened.body.auction_id, { from: 0n, to: 0n });
    expect(first?.data).toMatchObject({ memoryMb: 4096 });
  });

  it('tells of no job that is not', async () => {
    expect((await submitter.rest.get('/v1/fog/scheduler/status/job-00000000000000000000000000')).status).toBe(
      404,
    );
    expect(await submitter.rest.get('/v1/fog/scheduler/status/nonsense')).toMatchObject({
      status: 404,
      body: { code: 'RESOURCE_NOT_FOUND', errors: [{ field: 'job_id' }] },
    });
  });
});

describe('quorums, enclaves, proofs', () => {
  const member = (id: string, type: string, n: number) => ({
    id,
    owner: `owner-${n}`,
    infrastructure_type: type,
    asn: n,
    region: `r${n}`,
    unavailability: 0.01,
  });

  it('validates any set and names every violation', async () => {
    const good = [
      member('a', 'cloud_aws', 1),
      member('b', 'cloud_gcp', 2),
      member('c', 'private_datacenters', 3),
    ];
    const ok = await submitter.rest.post('/v1/fog/quorum/validate', { tier: 'gold', members: good });
    expect(ok.body).toMatchObject({ valid: true, meets_tier: true, violations: [] });
    const bad = await submitter.rest.post<{ meets_tier: boolean; violations: object[] }>(
      '/v1/fog/quorum/validate',
      {
        tier: 'gold',
        required_up: 2,
        members: good.slice(0, 2),
        type_unavailability: { cloud_aws: 0.5 },
      },
    );
    expect(bad.body.meets_tier).toBe(false);
    expect(bad.body.violations).toEqual(
      expect.arrayContaining([expect.objectContaining({ rule: 'member-count', have: 2, need: 3 })]),
    );
    const unknown = { tier: 'gold', proposed_providers: ['provider-00000000000000000000000000'] };
    expect((await submitter.rest.post('/v1/fog/quorum/validate', unknown)).status).toBe(404);
    expect((await submitter.rest.post('/v1/fog/quorum/validate', { tier: 'gold' })).status).toBe(422);
    const { body } = await submitter.rest.get<{ tiers: { gold: object } }>('/v1/fog/quorum/tiers');
    expect(body.tiers.gold).toMatchObject({ availability: 0.999, k: 3, min_bidders: 4, required_up: 2 });
    expect((await submitter.rest.get('/v1/fog/quorum/status')).body).toEqual({ quorums: [] });
  });

  it('R16: tells platforms; refuses unknown ones, too much memory, and foreign things', async () => {
    const status = await submitter.rest.get<{ platforms: object[] }>('/v1/fog/tee/status');
    expect(status.body.platforms).toContainEqual({
      type: 'amd_sev_snp',
      available: true,
      label: 'simulated',
    });
    expect(status.body.platforms).toContainEqual(
      expect.objectContaining({ type: 'intel_sgx', available: false }),
    );
    const create = (body: object) =>
      submitter.rest.post('/v1/fog/tee/create', {
        code_hash: sha256Of(MODULE),
        platform: 'amd_sev_snp',
        memory_mb: 64,
        ...body,
      });
    expect(await create({ platform: 'abacus' })).toMatchObject({
      status: 422,
      body: { code: 'UNSUPPORTED_PLATFORM' },
    });
    expect((await create({ code_hash: 'f'.repeat(64) })).status).toBe(404);
    const [provider] = [await bidder(9, 'hybrid_environments')];
    expect(await create({ memory_mb: 10_240, provider_id: provider.providerId })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'memory_mb' }] },
    });
    const nonce = randomBytes(32).toString('hex');
    const foreign = { enclave_id: 'enclave-00000000000000000000000000', nonce };
    expect((await submitter.rest.post('/v1/fog/tee/attest', foreign)).status).toBe(404);
    const host = { platform: 'abacus', nonce };
    expect((await provider.rest.post<Problem>('/v1/fog/tee/attest', host)).body.code).toBe(
      'UNSUPPORTED_PLATFORM',
    );
  });

  it('R18: verifies by value and by id, and never by a remembered verdict', async () => {
    const nonsense = await submitter.rest.post('/v1/fog/proofs/verify', {
      proof: { proofId: 'proof-x' },
    });
    expect(nonsense).toMatchObject({
      status: 200,
      body: { valid: false, details: { logged: false, anchored: false } },
    });
    const unknown = { proof_id: 'proof-00000000000000000000000000' };
    expect((await submitter.rest.post('/v1/fog/proofs/verify', unknown)).status).toBe(404);
    const generate = { proof_type: 'proof_of_weather', evidence: {} };
    expect((await submitter.rest.post('/v1/fog/proofs/generate', generate)).status).toBe(403);
  });
});
