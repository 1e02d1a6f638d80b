import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPredicateActivities } from '../../activities/predicate.ts';
import type { Problem } from '../../api/problem.ts';
import type { PredicateContext } from '../../domain/predicate/context.ts';
import type { Credential } from '../../domain/predicate/credential.ts';
import { STANDARD_SCHEMA } from '../../domain/predicate/standard-schema.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { createClient } from '../../infra/cli/client/client.ts';
import { createLogClient } from '../../infra/cli/client/log-client.ts';
import { createSubjectClient } from '../../infra/cli/client/subject-client.ts';
import { createTransport } from '../../infra/cli/client/transport.ts';
import { createZkClient } from '../../infra/cli/client/zk-client.ts';
import type { CliContext } from '../../infra/cli/context.ts';
import { runCli } from '../../infra/cli/program.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { createWallet, newSecret, type Wallet } from '../../infra/zk/prove.ts';
import { startToolProcess, type ToolProcess } from '../../infra/zk/tool-process.ts';
import { READ_MODELS } from '../../projections/read-models.ts';
import { createRunner } from '../../projections/runner.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { type Engine, now, openEngine } from '../support/open-engine.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporalAddress } from '../support/temporal.ts';
import { ADULT, testCircuits } from '../support/zk/circuit.ts';

const log = pino({ level: 'silent' });
const ISSUER_SEED = randomBytes(32);
const SET_UP_MS = 240_000;

let database: TestDatabase;
let engine: Engine;
let api: ApiServer;
let projecting: Promise<void>;
let tools: ToolProcess;
let wallet: Wallet;
const stop = new AbortController();

let verifier: Caller;

interface Submitted {
  readonly circuit_id: string;
  readonly predicate_id: string;
  readonly position: string;
  readonly public_inputs: readonly object[];
}
interface Circuit {
  readonly circuit_id: string;
  readonly key_hash: string;
  readonly transcript: { readonly wasmHash: string; readonly zkeyHash: string };
}
interface Verdict {
  readonly result: boolean;
  readonly reason?: string;
  readonly nullifier: string | null;
  readonly verification_id: string | null;
  readonly verification_time_ms: number;
}

beforeAll(async () => {
  database = await createTestDatabase();
  const address = await temporalAddress();
  const signer = createSigner([randomBytes(32)]);
  engine = await openEngine({
    databaseUrl: database.url,
    address,
    activities: (pool) =>
      createPredicateActivities({
        circuits: testCircuits,
        artifacts: createPostgresArtifacts({ pool, signer, now }),
        now,
      }),
  });
  projecting = createRunner({ pool: engine.pool, store: engine.store, log }).run(READ_MODELS, stop.signal);
  api = await startApiServer({
    databaseUrl: database.url,
    pool: engine.pool,
    store: engine.store,
    temporalAddress: address,
    taskQueue: engine.taskQueue,
    environment: { ZK_DEV_PROVER: 'true' },
  });
  verifier = await api.enrol('submitter');
  tools = startToolProcess();
  wallet = createWallet(tools);
});

afterAll(async () => {
  await tools?.close();
  await api?.stop();
  stop.abort();
  await projecting;
  await engine?.stop();
  await database?.drop();
});

const submit = (predicate: string, more: object = {}) =>
  verifier.rest.post<Submitted & Problem>('/v1/fog/zk/predicate', { predicate, ...more });

interface Person {
  readonly secret: string;
  readonly credential: Credential;
}

const person = async (values: Record<string, string | number> = { age: 30, country: 'DE', trust: '0.9' }) => {
  const secret = newSecret();
  const issued = await wallet.issue({
    seed: ISSUER_SEED,
    schema: STANDARD_SCHEMA,
    values,
    holder: await wallet.commitmentOf(secret),
    expiresAt: '2100-01-01T00:00:00.000Z',
  });
  if (!issued.ok) throw new Error(issued.message);
  return { secret, credential: issued.value };
};

let circuitId: string;
let keyHash: string;
let files: { wasm: string; zkey: string };

/** A context as the verifier sends it, and as the holder proves in it. */
const contextFor = ({ credential }: Person, change: Record<string, string> = {}, caller = verifier) => {
  const wire = {
    predicate: ADULT,
    issuer: credential.issuer,
    scope: `scope-${randomBytes(4).toString('hex')}`,
    nonce: randomBytes(16).toString('hex'),
    issued_at: new Date(Date.now() - 60_000).toISOString(),
    expires_at: new Date(Date.now() + 600_000).toISOString(),
    ...change,
  };
  const context: PredicateContext = {
    verifier: caller.id,
    nonce: wire.nonce,
    circuitId,
    keyHash,
    scope: wire.scope,
    issuedAt: wire.issued_at,
    expiresAt: wire.expires_at,
  };
  return { wire, context };
};

/** A proof as it is sent to be verified. */
const claim = async (holder: Person, { wire, context }: ReturnType<typeof contextFor>) => {
  const proved = await wallet.prove({ predicate: wire.predicate, context, ...holder, files });
  if (!proved.ok) throw new Error(JSON.stringify(proved.errors));
  const { proof, publicInputs } = proved.value;
  return { circuit_id: circuitId, proof, public_inputs: publicInputs, context: wire };
};

const verify = async (body: object, caller = verifier) => {
  const answer = await caller.rest.post<Verdict>('/v1/fog/zk/verify', body);
  expect(answer.status).toBe(200);
  return answer.body;
};

describe('R50-R52: a predicate gets a circuit, and the circuit a key, outside the request', () => {
  test('submitted, compiled, set up, listed, fetched', { timeout: SET_UP_MS }, async () => {
    const submitted = await submit(ADULT);
    expect(submitted.status).toBe(202);
    expect(submitted.body).toMatchObject({
      state: expect.stringMatching(/^(compiling|setting-up|ready)$/),
      literals: expect.arrayContaining(['18', '800']),
      verifier: verifier.id,
    });
    expect(submitted.body.public_inputs).toHaveLength(11);
    circuitId = submitted.body.circuit_id;

    // Another threshold meets the same circuit; asking for it once more does no harm.
    const other = await submit(ADULT.replace('18', '21'));
    expect(other.body).toMatchObject({ circuit_id: circuitId, predicate_id: submitted.body.predicate_id });

    const shown = await vi.waitFor(
      async () => {
        const { body } = await verifier.rest.get<{ predicates: readonly Circuit[] }>(
          `/v1/fog/zk/predicates?after=${submitted.body.position}`,
        );
        const found = body.predicates.find(({ circuit_id }) => circuit_id === circuitId);
        expect(found).toMatchObject({ state: 'ready', progress: 1 });
        return found as Circuit;
      },
      { timeout: SET_UP_MS - 10_000, interval: 500 },
    );
    expect(shown).toMatchObject({
      type: 'groth16-bn254',
      setup: 'single-party-development',
      transcript: { circuitId, verified: true },
      verification_key: { protocol: 'groth16', nPublic: 11 },
    });
    keyHash = shown.key_hash;
    expect((await submit(ADULT)).body).toMatchObject({ state: 'ready', progress: 1, key_hash: keyHash });

    files = { wasm: join(api.home, 'circuit.wasm'), zkey: join(api.home, 'proving.zkey') };
    for (const [name, path, hash] of [
      ['circuit.wasm', files.wasm, shown.transcript.wasmHash],
      ['proving.zkey', files.zkey, shown.transcript.zkeyHash],
    ]) {
      const { status, body: bytes } = await verifier.rest.get<Uint8Array>(
        `/v1/fog/zk/predicates/${circuitId}/${name}`,
      );
      expect(status).toBe(200);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(hash);
      await writeFile(path as string, bytes);
    }

    const types = (await engine.store.readStream(submitted.body.predicate_id)).map(({ type }) => type);
    expect(types).toEqual(['predicate.requested', 'predicate.compiled', 'predicate.key-made']);
  });

  test('R49: what is no predicate is refused before anything is compiled', async () => {
    const before = await engine.store.head();
    for (const [predicate, field, rule] of [
      ['height >= 3', 'predicate', 'character 1: an attribute of the schema: age, country, trust'],
      ['country > "DE"', 'predicate', 'character 1: text attributes have no order: use ==, != or in'],
      [`${'('.repeat(9)}age >= 18`, 'predicate', 'character 9: at most 8 nested parentheses and negations'],
      [
        `age in [${Array.from({ length: 65 }, (_, index) => index).join()}]`,
        'predicate',
        expect.stringContaining('at most 64 members of a set'),
      ],
      ['a'.repeat(2001), 'predicate', 'at most 2000 characters'],
    ]) {
      const { status, body } = await submit(predicate as string);
      expect(status).toBe(422);
      expect(body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field, rule }] });
    }
    const schema = { name: 's', attributes: [{ name: 'age', type: 'integer', bits: 65 }] };
    expect((await submit('age >= 18', { schema })).body.errors?.[0]?.field).toBe('schema.attributes.0.bits');
    expect((await engine.store.head()).position).toBe(before.position);
  });

  test('R52: an unknown circuit is a typed 404', async () => {
    const unknown = 'ab'.repeat(32);
    const holder = await person();
    const body = { circuit_id: unknown, proof: {}, public_inputs: [], context: contextFor(holder).wire };
    for (const answer of [
      await verifier.rest.post('/v1/fog/zk/verify', body),
      await verifier.rest.post('/v1/fog/zk/verify', { ...body, circuit_id: 'nonsense' }),
      await verifier.rest.get(`/v1/fog/zk/predicates/${unknown}/circuit.wasm`),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    }
  });
});

describe('R53, R54: a proof is accepted once, in its own context', () => {
  test('an honest proof, then every kind of replay', async () => {
    const [anna, ben] = [await person(), await person({ age: 44, country: 'FR', trust: 1 })];
    const scope = 'vote-1';
    const asked = contextFor(anna, { scope });
    const proof = await claim(anna, asked);
    const first = await verify(proof);
    expect(first).toMatchObject({
      result: true,
      nullifier: proof.public_inputs[0],
      setup: 'single-party-development',
    });
    expect(first.verification_id).toMatch(/^acceptance-/);
    expect(first.verification_time_ms).toBeLessThan(500);

    expect(await verify(proof)).toMatchObject({
      result: false,
      reason: 'nullifier_used',
      verification_id: null,
    });
    const again = await claim(anna, contextFor(anna, { scope }));
    expect(await verify(again)).toMatchObject({ result: false, reason: 'nullifier_used' });
    expect(await verify(await claim(ben, asked))).toMatchObject({ result: false, reason: 'context_used' });
    expect(await verify(await claim(ben, contextFor(ben, { scope })))).toMatchObject({ result: true });
    expect(await verify(await claim(anna, contextFor(anna, { scope: 'vote-2' })))).toMatchObject({
      result: true,
    });
  });

  test('only one of many at the same moment', async () => {
    const holder = await person();
    const proof = await claim(holder, contextFor(holder));
    const answers = await Promise.all(Array.from({ length: 6 }, () => verify(proof)));
    expect(answers.filter(({ result }) => result)).toHaveLength(1);
  });

  test('another verifier, statement or time, and altered proofs', async () => {
    const holder = await person();
    const asked = contextFor(holder);
    const proof = await claim(holder, asked);
    const { public_inputs: inputs, context } = proof;
    const refused = async (change: object, reason: string, caller = verifier) =>
      expect(await verify({ ...proof, ...change }, caller)).toMatchObject({ result: false, reason });

    await refused({}, 'input_mismatch', await api.enrol('submitter'));
    await refused({ context: { ...context, predicate: ADULT.replace('18', '21') } }, 'input_mismatch');
    await refused({ context: { ...context, predicate: 'age >= 18' } }, 'circuit_mismatch');
    await refused({ context: { ...context, scope: 'other' } }, 'input_mismatch');
    await refused({ public_inputs: inputs.with(0, String(BigInt(inputs[0] as string) + 1n)) }, 'bad_proof');
    await refused({ public_inputs: inputs.with(7, '19') }, 'input_mismatch');
    const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
    await refused({ public_inputs: inputs.with(0, String(BigInt(inputs[0] as string) + r)) }, 'bad_inputs');
    await refused({ public_inputs: [] }, 'bad_inputs');
    await refused({ proof: { ...proof.proof, pi_a: ['1', '2', '1'] } }, 'bad_proof');
    await refused({ proof: {} }, 'bad_proof_form');
    const late = {
      issued_at: new Date(Date.now() - 1_200_000).toISOString(),
      expires_at: new Date(Date.now() - 600_000).toISOString(),
    };
    expect(await verify(await claim(holder, contextFor(holder, late)))).toMatchObject({
      result: false,
      reason: 'expired',
    });
    // None of them used anything up.
    expect(await verify(proof)).toMatchObject({ result: true });
  });

  test('a context without form names its fields', async () => {
    const holder = await person();
    const proof = await claim(holder, contextFor(holder));
    const broken = { ...proof, context: { ...proof.context, nonce: 'abc', issuer: { x: '0', y: '1' } } };
    const { status, body } = await verifier.rest.post<Problem>('/v1/fog/zk/verify', broken);
    expect(status).toBe(422);
    expect(body.errors?.map(({ field }) => field)).toEqual(['context.nonce']);
    const neutral = { ...proof, context: { ...proof.context, issuer: { x: '0', y: '1' } } };
    expect((await verifier.rest.post<Problem>('/v1/fog/zk/verify', neutral)).body.errors?.[0]?.field).toBe(
      'context.issuer',
    );
  });

  test('an audit is compliant when every proof speaks of its data, each by another holder', async () => {
    const data = 'cd'.repeat(32);
    const scope = `audit/adults/${data}`;
    const people = [await person(), await person({ age: 20, country: 'FR', trust: 0.85 })];
    const proofs = await Promise.all(people.map((holder) => claim(holder, contextFor(holder, { scope }))));
    const audit = async (body: object) => {
      const answer = await verifier.rest.post('/v1/fog/zk/audit', {
        audit_type: 'adults',
        data_hash: data,
        ...body,
      });
      expect(answer.status).toBe(200);
      return answer.body;
    };
    const [first] = proofs as [(typeof proofs)[0]];
    const twice = await audit({ proofs: [first, first] });
    expect(twice).toMatchObject({
      result: 'non_compliant',
      checks: [{ ok: true }, { ok: true }, { check: 'minimum_holders', ok: false }],
    });
    expect(await audit({ proofs, data_hash: 'ef'.repeat(32) })).toMatchObject({
      result: 'non_compliant',
      checks: [{ reason: 'other_scope' }, { reason: 'other_scope' }, { ok: false }],
    });
    expect(await audit({ proofs })).toMatchObject({ result: 'compliant' });
    expect(await audit({ proofs })).toMatchObject({
      result: 'non_compliant',
      checks: [{ ok: false, reason: 'nullifier_used' }, { ok: true }, { ok: true }],
    });
  });

  test('the development prover proves, where it is switched on', async () => {
    const holder = await person();
    const { wire } = contextFor(holder);
    const { status, body } = await verifier.rest.post<object>('/v1/fog/zk/prove', {
      circuit_id: circuitId,
      context: wire,
      ...holder,
    });
    expect(status).toBe(200);
    expect(await verify({ circuit_id: circuitId, context: wire, ...body })).toMatchObject({ result: true });
    const young = await person({ age: 17, country: 'DE', trust: '0.9' });
    const refused = await verifier.rest.post('/v1/fog/zk/prove', {
      circuit_id: circuitId,
      context: contextFor(young).wire,
      ...young,
    });
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'predicate', rule: 'one that the credential fulfils' }] },
    });
  });

  test('the log knows no holder: no secret, no commitment, no value, no proof', async () => {
    const holder = await person({ age: 33, country: 'DE', trust: '0.901' });
    const proof = await claim(holder, contextFor(holder));
    expect(await verify(proof)).toMatchObject({ result: true });
    const events = await engine.store.readAll({ after: 0n, limit: 10_000 });
    const text = JSON.stringify(events, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const { credential, secret } = holder;
    for (const hidden of [
      secret,
      credential.holder,
      ...credential.signature,
      '0.901',
      (proof.proof as { pi_a: string[] }).pi_a[0],
    ])
      expect(text).not.toContain(hidden);
    expect(text).toContain(proof.public_inputs[0]);
  });
});

describe('R53: npx aivillage zk', () => {
  /** One command line against the API, with everything that it sent. */
  const cli = async (...argv: readonly string[]) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const sent = vi.spyOn(globalThis, 'fetch');
    let code = 0;
    const context: CliContext = {
      stdin: (async function* () {})(),
      stdout,
      stderr: stderr as unknown as NodeJS.WriteStream,
      engine: async () => {
        const transport = createTransport({
          apiUrl: api.url,
          apiKey: verifier.apiKey,
        });
        return {
          client: createClient(transport),
          log: createLogClient(transport),
          zk: createZkClient(transport),
          subjects: createSubjectClient(transport),
          zkDirectory: join(api.home, 'zk', 'holder'),
          isLocalStack: true,
        };
      },
      audit: () => Promise.reject(new Error('no audit here')),
      recover: () => Promise.reject(new Error('no recovery here')),
      interruptible: (work) => work,
      exit: (given) => {
        code = given;
      },
    };
    await runCli(['zk', ...argv], context);
    const bodies = sent.mock.calls.map((request) => JSON.stringify(request)).join('\n');
    sent.mockRestore();
    stdout.end();
    stderr.end();
    return { code, out: await text(stdout), err: await text(stderr), bodies };
  };

  test('a verifier asks, a holder proves at home, the engine accepts once', async () => {
    const file = (name: string) => join(api.home, name);
    const { out: commitment } = await cli('credential', 'new-holder', file('holder.json'));
    const { out: issuer } = await cli('credential', 'new-issuer', file('issuer.json'));
    await writeFile(file('issuer.pub.json'), issuer);
    await writeFile(file('values.json'), JSON.stringify({ age: 37, country: 'FR', trust: '0.873' }));
    const { secret } = JSON.parse(await readFile(file('holder.json'), 'utf8'));
    expect((await stat(file('holder.json'))).mode & 0o777).toBe(0o600);
    expect(await cli('credential', 'new-holder', file('holder.json'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('exists already'),
    });

    const issued = await cli(
      ...['credential', 'issue', '--issuer', file('issuer.json'), '--holder', commitment.trim()],
      ...['--values', file('values.json'), '--output', file('credential.json')],
    );
    expect(issued).toMatchObject({ code: 0, bodies: '' });

    const asked = await cli(
      ...['request', '--predicate', ADULT, '--issuer', file('issuer.pub.json'), '--scope', 'cli'],
      ...['--output', file('request.json')],
    );
    expect(asked).toMatchObject({ code: 0, err: '' });

    const prove = ['prove', '--request', file('request.json'), '--credential', file('credential.json')];
    const proved = await cli(...prove, '--holder', file('holder.json'), '--output', file('proof.json'));
    expect(proved).toMatchObject({ code: 0, err: '' });

    const verified = await cli('verify', file('proof.json'));
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^accepted: age >= 18.*\nnullifier: \d+\nset-up: single-party-development\n$/,
      ),
    });
    expect(await cli('verify', file('proof.json'), '--json')).toMatchObject({
      code: 1,
      out: expect.stringContaining('"reason":"nullifier_used"'),
    });

    const { signature } = JSON.parse(await readFile(file('credential.json'), 'utf8'));
    const sent = [asked, proved, verified].map(({ bodies }) => bodies).join('\n');
    for (const hidden of [secret, commitment.trim(), ...signature, '0.873'])
      expect(sent).not.toContain(hidden);

    // What cannot be proved says why, and a secret never shows in an error.
    await writeFile(file('other.json'), JSON.stringify({ secret: '12345678901234567890', commitment: '1' }));
    const foreign = await cli(...prove, '--holder', file('other.json'));
    expect(foreign).toMatchObject({
      code: 2,
      err: expect.stringContaining('secret: the secret of the holder'),
    });
    await writeFile(file('other.json'), JSON.stringify({ secret: 'x12345678901234567890' }));
    const broken = await cli(...prove, '--holder', file('other.json'));
    expect(broken.code).toBe(2);
    expect(broken.err).toContain('secret, commitment');
    expect(foreign.err + broken.err).not.toContain('12345678901234567890');
  });
});
