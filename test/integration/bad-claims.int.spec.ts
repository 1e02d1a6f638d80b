import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROOF_TYPES } from '../../api/routes/proofs/judge.ts';
import { PLATFORMS } from '../../domain/enclave/events.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { FIELD_ORDER } from '../../domain/predicate/field.ts';
import { nameFault } from '../../domain/text.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { fromBase64Url, toBase64Url } from '../../infra/verify/bytes.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { machine, proofOf } from '../support/execution-proof.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { expectProblem } from '../support/rest.ts';
import { badPredicate } from '../support/zk/bad-predicates.ts';
import { publishSample, SAMPLE_CIRCUIT } from '../support/zk/publish-sample.ts';
import { SAMPLE } from '../support/zk/sample.ts';

const RUNS = { numRuns: 60 };

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let api: ApiServer;
let caller: Caller;

const { predicate, schema, issuer, context } = SAMPLE.expected;
const circuit = SAMPLE_CIRCUIT;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  await publishSample(store);
  // Nobody answers for Temporal: what is refused here never gets there.
  api = await startApiServer({ databaseUrl: database.url, pool, store, simulatedRoot: machine.root });
  caller = await api.enrol('submitter', 'provider');
});
afterAll(async () => {
  await api?.stop();
  await store?.close();
  await pool?.end();
  await database?.drop();
});

/** A text that can be a name at all; what cannot is refused before anybody looks it up. */
const isName = (text: string): boolean => text !== '' && nameFault(text) === null;

/** Names that no list holds, those of every object among them. */
const unknownName = (known: readonly string[]) =>
  fc
    .oneof(
      fc.string({ maxLength: 100 }),
      fc.constantFrom('__proto__', 'constructor', 'toString', ...known.map((name) => `${name}s`)),
    )
    .filter((name) => isName(name) && !known.includes(name));

const each = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, check), RUNS);

describe('a name that nobody knows is refused by field and rule', () => {
  test('of a platform', () =>
    each(unknownName(PLATFORMS), async (platform) => {
      const answers = [
        await caller.rest.post('/v1/fog/tee/create', { code_hash: '00'.repeat(32), platform, memory_mb: 64 }),
        await caller.rest.post('/v1/fog/tee/attest', { platform, nonce: '00'.repeat(32) }),
      ];
      const errors = [{ field: 'platform', rule: `one of ${PLATFORMS.join(', ')}` }];
      for (const answer of answers)
        expectProblem(answer, { status: 422, code: 'UNSUPPORTED_PLATFORM', errors });
    }));

  test('of a type of proof', () =>
    each(unknownName(PROOF_TYPES), async (type) => {
      const answer = await caller.rest.post('/v1/fog/proofs/generate', { proof_type: type, evidence: {} });
      const errors = [{ field: 'proof_type', rule: `one of ${PROOF_TYPES.join(', ')}` }];
      expectProblem(answer, { status: 422, code: 'UNSUPPORTED_PROOF_TYPE', errors });
    }));

  test('of a circuit', () =>
    each(
      fc.oneof(
        fc.stringMatching(/^[0-9a-f]{64}$/),
        fc.string({ minLength: 1, maxLength: 128 }).filter(isName),
      ),
      async (circuit_id) => {
        const answer = await caller.rest.post('/v1/fog/zk/verify', { ...claim(), circuit_id });
        const errors = [{ field: 'circuit_id', rule: 'one that was submitted as a predicate' }];
        expectProblem(answer, { status: 404, code: 'RESOURCE_NOT_FOUND', errors });
      },
    ));
});

test('a predicate over a missing attribute, too deep or with too large a set gets no circuit', async () => {
  const before = await store.head();
  await each(badPredicate, async ({ text, rule }) => {
    const answer = await caller.rest.post('/v1/fog/zk/predicate', { predicate: text });
    const errors = [{ field: 'predicate', rule: expect.stringMatching(rule) as string }];
    expectProblem(answer, { status: 422, code: 'INVALID_REQUEST', errors });
  });
  expect((await store.head()).position).toBe(before.position);
});

/** The sample's proof, sent by another verifier at another time. */
const claim = () => ({
  circuit_id: circuit.circuitId,
  proof: SAMPLE.proof,
  public_inputs: SAMPLE.publicInputs,
  context: {
    predicate,
    schema,
    issuer,
    scope: context.scope,
    nonce: context.nonce,
    issued_at: new Date(Date.now() - 60_000).toISOString(),
    expires_at: new Date(Date.now() + 600_000).toISOString(),
  },
});

const reasonOf = async (publicInputs: readonly string[]): Promise<unknown> => {
  const answer = await caller.rest.post<{ result: boolean; nullifier: null; reason: string }>(
    '/v1/fog/zk/verify',
    { ...claim(), public_inputs: publicInputs },
  );
  expect(answer).toMatchObject({ status: 200, body: { result: false, nullifier: null } });
  return answer.body.reason;
};

test('public inputs that are no field elements are bad inputs, whatever they are modulo the order', async () => {
  const inputs = SAMPLE.publicInputs;
  // As they are, they are read and found to speak of something else.
  expect(await reasonOf(inputs)).toBe('input_mismatch');
  await each(
    fc.tuple(fc.nat(inputs.length - 1), fc.bigInt(1n, 2n ** 60n), fc.boolean()),
    async ([index, times, alias]) => {
      const value = alias ? BigInt(inputs[index] as string) + times * FIELD_ORDER : FIELD_ORDER + times;
      expect(await reasonOf(inputs.with(index, String(value)))).toBe('bad_inputs');
    },
  );
  for (const text of ['', '-1', '00', '0x1', '1.0', '1e3', ' 1', String(FIELD_ORDER), 'a'])
    expect(await reasonOf(inputs.with(3, text)), text).toBe('bad_inputs');
});

test('a report cut off at any length proves nothing, and the verdict names the step', {
  timeout: 120_000,
}, async () => {
  const proof = proofOf();
  const { attestation } = proof;
  const report = fromBase64Url(attestation.report);
  const verdictOn = async (cut: string) => {
    const { status, body } = await caller.rest.post<{ valid: boolean; reason?: string; steps: object[] }>(
      '/v1/fog/proofs/verify',
      { proof: { ...proof, attestation: { ...attestation, report: cut } } },
    );
    expect(status).toBe(200);
    return body;
  };
  expect(await verdictOn(attestation.report)).toMatchObject({ valid: true });
  for (let length = 0; length < report.length; length++) {
    const { valid, steps } = await verdictOn(toBase64Url(report.subarray(0, length)));
    expect(valid).toBe(false);
    const step = length === 0 ? 'format' : 'attestation.format';
    expect(steps).toContainEqual({ step, ok: false, code: 'MALFORMED' });
  }
});
