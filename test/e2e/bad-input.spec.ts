import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { priceQuote } from '../../domain/auction/pricing.ts';
import type { QuoteInputs } from '../../domain/auction/quote.ts';
import type { ExecutionProof } from '../../domain/proof/record.ts';
import { DEFAULT_T_REF, TIER_TABLE_VERSION } from '../../domain/tiers.ts';
import { readKeyFile } from '../../infra/keys/key-file.ts';
import { createQuoteTokens } from '../../infra/keys/quote-tokens.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { type Answer, createRest, expectProblem, type Rest, sha256Of } from '../support/rest.ts';
import { assembleTestModule } from '../workloads/assemble.ts';
import { endOf, type JobBody, runToEnd, SMALL_JOB, storeModule } from './support/jobs.ts';
import { type Caller, keyHolder, signIn, signInOperator } from './support/principals.ts';
import { type SharedStack, sharedStack } from './support/shared-stack.ts';
import { accountOf, eventsOf } from './support/views.ts';

const ABSENT_JOB = `job-${'0'.repeat(26)}`;

let stack: SharedStack;
let operator: Caller;
let rest: Rest;
/** A module that exits with 3. */
let module: string;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
  ({ rest } = operator);
  module = await storeModule(rest, 'exit-3');
});

const submit = (body: object, key?: string): Promise<Answer<{ job_id: string }>> =>
  rest.post('/v1/fog/scheduler/submit', body, key);

const money = async (): Promise<{ available: string; escrow: string }> => {
  const { available, escrow } = await accountOf(operator);
  return { available, escrow };
};

const quote = async (): Promise<string> => {
  const { tier, required_tops, utilization, duration_seconds } = SMALL_JOB;
  const answer = await rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', {
    tier,
    required_tops,
    utilization,
    duration_seconds,
  });
  expect(answer.status).toBe(200);
  return answer.body.quote_id;
};

/** What a job needs beside its quote. */
const work = () => ({ code_hash: module, auction_seconds: 1, memory_mb: 64, allow_simulated: true });

describe('a request that makes no sense', () => {
  const inputs = { tier: 'gold', required_tops: 500, utilization: 0.8, duration_seconds: 60 };

  test.each([
    [{ tier: 'diamond' }, 'tier', 'one of bronze, silver, gold, platinum'],
    [{ utilization: 1.2 }, 'utilization', 'at most 1'],
    [{ utilization: -0.1 }, 'utilization', 'at least 0'],
    [{ required_tops: -500 }, 'required_tops', 'more than 0'],
    [{ duration_seconds: 0 }, 'duration_seconds', 'more than 0'],
    [{ surprise: 1 }, 'surprise', 'not a known field'],
  ])('is refused by each route that prices it: %j', async (change, field, rule) => {
    const wrong = { ...inputs, ...change };
    const query = new URLSearchParams(
      Object.entries(wrong).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answers = await Promise.all([
      rest.get(`/v1/fog/pricing/quote?${query.toString()}`),
      rest.post('/v1/fog/pricing/quote', wrong),
      submit({ ...wrong, ...work() }),
    ]);
    for (const answer of answers) {
      expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors: [{ field, rule }] });
    }
  });

  test('that asks for 10 GB of memory is refused, and nothing is held for it', async () => {
    const before = await money();
    const answer = await submit({ ...SMALL_JOB, code_hash: module, memory_mb: 10_240 });
    const errors = [{ field: 'memory_mb', rule: 'an integer from 1 to 4096' }];
    expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors });
    expect(await money()).toEqual(before);
  });

  test('whose module starts with more memory than its enclaves would have is refused: no node is to blame', async () => {
    const code_hash = await storeModule(rest, 'large-start');
    const errors = [{ field: 'memory_mb', rule: 'at least 65, which the module starts with' }];
    for (const answer of [
      await submit({ ...SMALL_JOB, code_hash }),
      await rest.post('/v1/fog/tee/create', { code_hash, platform: 'amd_sev_snp', memory_mb: 64 }),
    ])
      expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors });
  });

  test('whose text no database could hold, or no node would run for so long, is refused, and nothing is held for it', async () => {
    const before = await money();
    for (const [change, field, rule] of [
      [{ args: ['-n', '\0'] }, 'args.1', 'no character U+0000'],
      [{ args: ['\ud800'] }, 'args.0', 'well-formed Unicode: no half of a surrogate pair'],
      [{ duration_seconds: 2_073_601 }, 'duration_seconds', 'at most 2073600'],
    ] as const) {
      const answer = await submit({ ...SMALL_JOB, ...work(), ...change });
      expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors: [{ field, rule }] });
    }
    expect(await money()).toEqual(before);
  });

  test('malformed JSON is 400', async () => {
    const answer = await rest.post('/v1/fog/scheduler/submit', '{"tier": "gold",');
    const errors = [{ field: 'body', rule: 'JSON in UTF-8' }];
    expectProblem(answer, { status: 400, code: 'INVALID_REQUEST', errors });
  });

  test('a module cut short is refused at upload', async () => {
    const whole = await assembleTestModule('open-file');
    const cut = new Uint8Array(whole.slice(0, -20));
    for (const mediaType of ['application/wasm', 'application/octet-stream']) {
      const answer = await rest.store(cut, mediaType);
      const errors = [
        { field: 'module', rule: expect.stringMatching(/^a complete and valid module/) as string },
      ];
      expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors });
    }
    expectProblem(await submit({ ...SMALL_JOB, code_hash: sha256Of(cut) }), {
      status: 404,
      code: 'RESOURCE_NOT_FOUND',
      errors: [{ field: 'code_hash', rule: 'a module that you stored' }],
    });
  });
});

describe('a quote', () => {
  test('makes one job: its second use is 409', async () => {
    const quote_id = await quote();
    const first = await submit({ quote_id, ...work() });
    expect(first.status).toBe(202);
    const again = [
      await submit({ quote_id, ...work() }),
      await rest.post('/v1/fog/pricing/auction', { quote_id, auction_seconds: 1 }),
    ];
    for (const answer of again) {
      const errors = [{ field: 'quote_id', rule: 'not used before' }];
      expectProblem(answer, { status: 409, code: 'CONFLICT', errors });
    }
    expect(await endOf(rest, first.body.job_id)).toMatchObject({ state: 'settled', exit_code: 3 });
    const afterwards = await submit({ quote_id, ...work() });
    expectProblem(afterwards, {
      status: 409,
      code: 'CONFLICT',
      errors: [{ field: 'quote_id', rule: 'not used before' }],
    });
  });

  test('past its expiry is 409, and one that nobody signed is 404', async () => {
    const inputs: QuoteInputs = { tier: 'bronze', requiredTops: 10, utilization: 0.8, durationSeconds: 30 };
    const price = priceQuote(inputs);
    if (!price.ok) throw new Error(price.message);
    const signer = createSigner(await readKeyFile(join(stack.home, 'keys', 'engine.key')));
    const expired = await createQuoteTokens({ signer, now: () => new Date().toISOString() }).sign({
      ...price.value,
      ulid: '0'.repeat(26),
      tRef: DEFAULT_T_REF,
      tier: inputs.tier,
      tierTableVersion: TIER_TABLE_VERSION,
      inputs,
      issuedTo: operator.id,
      expiresAt: new Date(Date.now() - 1000).toISOString(),
    });
    const use = (quote_id: string) => [
      submit({ quote_id, ...work() }),
      rest.post('/v1/fog/pricing/auction', { quote_id }),
    ];
    for (const answer of await Promise.all(use(expired))) {
      const errors = [{ field: 'quote_id', rule: 'not past its expires_at' }];
      expectProblem(answer, { status: 409, code: 'CONFLICT', errors });
    }
    for (const answer of await Promise.all(use(`${expired.slice(0, -4)}AAAA`))) {
      const errors = [{ field: 'quote_id', rule: 'a quote of yours' }];
      expectProblem(answer, { status: 404, code: 'RESOURCE_NOT_FOUND', errors });
    }
  });
});

describe('an identity', () => {
  test('is needed (401), and has to have the role (403)', async () => {
    const stranger = createRest(stack.apiUrl);
    const body = { ...SMALL_JOB, code_hash: module };
    expectProblem(await stranger.post('/v1/fog/scheduler/submit', body), {
      status: 401,
      code: 'AUTHENTICATION_FAILED',
    });
    const provider = await signIn(stack, keyHolder(), 'provider');
    for (const answer of [
      await provider.rest.post('/v1/fog/scheduler/submit', body),
      await rest.post('/v1/fog/pricing/bid', { auction_id: `auction-${'0'.repeat(26)}`, price: '1' }),
    ]) {
      expectProblem(answer, { status: 403, code: 'AUTHORIZATION_FAILED' });
    }
  });

  test('sees nothing of what it may not know of: 404 as for what does not exist', async () => {
    const { body } = await submit({ ...SMALL_JOB, code_hash: module });
    const provider = await signIn(stack, keyHolder(), 'provider');
    for (const answer of [
      await rest.get(`/v1/fog/scheduler/status/${ABSENT_JOB}`),
      await provider.rest.get(`/v1/fog/scheduler/status/${body.job_id}`),
    ]) {
      const errors = [{ field: 'job_id', rule: 'a job of yours' }];
      expectProblem(answer, { status: 404, code: 'RESOURCE_NOT_FOUND', errors });
    }
    await endOf(rest, body.job_id);
  });
});

describe('an Idempotency-Key', () => {
  test('answers the same request with the same job, and refuses another request', async () => {
    const key = randomUUID();
    const body = { ...SMALL_JOB, code_hash: module };
    const before = await rest.get<{ queue_stats: { total: number } }>('/v1/fog/scheduler/queue');
    const first = await submit(body, key);
    const second = await submit(body, key);
    expect(first.status).toBe(202);
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expectProblem(await submit({ ...body, args: ['other'] }, key), {
      status: 422,
      code: 'INVALID_REQUEST',
      errors: [{ field: 'Idempotency-Key', rule: 'already used for another request' }],
    });
    await endOf(rest, first.body.job_id);
    const after = await rest.get<{ queue_stats: { total: number } }>('/v1/fog/scheduler/queue');
    expect(after.body.queue_stats.total - before.body.queue_stats.total).toBe(1);
  });
});

describe('a module that misbehaves', () => {
  const recordOf = async ({ proof_id }: JobBody): Promise<ExecutionProof['record']> => {
    const [recorded] = await eventsOf(operator, `stream=${proof_id}`);
    if (!recorded) throw new Error(`${proof_id} is not in the log`);
    return (recorded.data['proof'] as ExecutionProof).record;
  };

  const trustIn = async (providerId: string): Promise<unknown> =>
    (await rest.get(`/v1/fog/reputation/score?entity_id=${providerId}`)).body;

  test('settled 44: loops for ever: it ends at its fuel limit, its submitter told, the winner paid, trust untouched', async () => {
    const code_hash = await storeModule(rest, 'loop');
    const before = await money();
    const submitted = await submit({ ...SMALL_JOB, code_hash });
    expect(submitted.status).toBe(202);
    const { job_id } = submitted.body;
    const awarded = await rest.get<JobBody>(`/v1/fog/scheduler/status/${job_id}?wait_for=running`);
    const trust = await trustIn(awarded.body.members[0]?.node_id as string);
    const job = await endOf(rest, job_id);
    expect(job).toMatchObject({
      state: 'failed',
      reason: 'FUEL_LIMIT_EXCEEDED',
      outcome: 'fuel_limit',
      exit_code: null,
    });
    expect(job.message).toMatch(/fuel/);
    const [member] = job.members;
    expect(Number(member?.paid_micro)).toBeGreaterThan(0);
    expect(job.price_micro).toBe(member?.paid_micro);
    expect(await trustIn(member?.node_id as string)).toEqual(trust);
    // What its auction cost: 1 % of a ceiling of 4,630, rounded up.
    const fee = 47n;
    expect(await money()).toEqual({
      available: String(BigInt(before.available) - BigInt(job.price_micro as string) - fee),
      escrow: before.escrow,
    });
    expect(await recordOf(job)).toMatchObject({
      version: 2,
      outcome: 'fuel_limit',
      stderrTail: expect.stringMatching(/^looping\n/),
    });
  });

  test('settled 40: waits for memory at every step: who runs it is paid for its time, and not blamed', async () => {
    const code_hash = await storeModule(rest, 'chase');
    const { escrow } = await money();
    // As dense as a usual order, and no node can tell before that this module is slower than others.
    const dense = { ...SMALL_JOB, required_tops: 300, duration_seconds: 10, memory_mb: 80 };
    const job = await runToEnd(rest, { ...dense, code_hash });
    expect(job).toMatchObject({
      state: 'failed',
      reason: 'TIME_LIMIT_EXCEEDED',
      message: 'the module was not done within duration_seconds',
      outcome: 'time_limit',
    });
    const [member] = job.members;
    expect(job.members).toHaveLength(1);
    expect(job.price_micro).toBe(member?.paid_micro);
    expect(Number(member?.paid_micro)).toBeGreaterThan(0);
    expect(member?.fuel_used).toBeNull();
    const record = await eventsOf(operator, `stream=${member?.node_id}`);
    expect(record.filter(({ data }) => data['reason'] === 'lost')).toEqual([]);
    expect((await money()).escrow).toBe(escrow);
    const { resources } = await recordOf(job);
    expect(resources.probedFuelPerSecond).toBeGreaterThanOrEqual(300 * 0.8 * 1_000_000);
  });

  test.each(['open-file', 'open-socket'])(
    '%s: the import is fine, the call meets a capability error',
    async (name) => {
      const code_hash = await storeModule(rest, name);
      const job = await runToEnd(rest, { ...SMALL_JOB, code_hash });
      // The module exits with the errno it met: 76, not capable.
      expect(job).toMatchObject({ state: 'settled', outcome: 'exited', exit_code: 76, reason: null });
      expect(await recordOf(job)).toMatchObject({ exitCode: 76 });
    },
  );
});
