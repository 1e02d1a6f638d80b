import { randomBytes } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newEvent } from '../../domain/event.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { AvailabilityTerms, Beacon } from '../../domain/proof/availability-record.ts';
import { hashOfJson } from '../../domain/proof/commit.ts';
import type { SampleRun, SlaTerms } from '../../domain/proof/sla-record.ts';
import { jobEvents, RUN_FROM } from '../../domain/sla/sla.fixture.ts';
import { addSeconds } from '../../domain/time.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { walkLog } from '../../infra/audit/walk.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createJournal } from '../../infra/journal/journal.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { createProviders } from '../../infra/providers/providers.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { createTransparencyLog } from '../../infra/tlog/transparency-log.ts';
import {
  ARTIFACT,
  AVAILABILITY_TERMS,
  availabilityProofOf,
  NODE,
  OBSERVERS,
  type Signing,
  SLA_TERMS,
  signingNode,
  slaProofOf,
} from '../../infra/verify/observed.fixture.ts';
import { ledger } from '../../projections/ledger/projection.ts';
import { createRunner } from '../../projections/runner.ts';
import { sampleAppend } from '../contract/events.ts';
import { type ApiServer, type Caller, startApiServer } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const now = () => new Date().toISOString();
const providerId = (name: number): string => `provider-${String(name).padStart(26, '0')}`;
const ID = providerId(0);
const observers = OBSERVERS.map(({ key }, index) => ({ id: providerId(index + 1), key }));
const up = (count: number): SampleRun => ({ state: 'up', count });
const down = (count: number): SampleRun => ({ state: 'down', count });

let database: TestDatabase;
let pool: Pool;
let store: EventStore;
let api: ApiServer;
/** Owns the provider. */
let owner: Caller;
/** Somebody else, who submits jobs. */
let stranger: Caller;
let artifact: string;

const engineContext = {
  occurredAt: RUN_FROM,
  actor: 'engine',
  correlationId: 'test',
  causationId: 'test',
  traceparent: null,
};

interface Credit {
  readonly due: string;
  readonly paid: string;
  readonly outstanding: string;
  readonly position: string;
}
interface Generated {
  readonly proof_id: string;
  readonly position: string;
  readonly credit: Credit | null;
}
interface Verified {
  readonly valid: boolean;
  readonly credit: Credit | null;
}
interface Batch {
  readonly batch_id: string;
  readonly results: readonly { readonly proof_id: string }[];
  readonly remaining: readonly string[];
}
interface Account {
  readonly available: string;
  readonly entries: { readonly items: readonly object[] };
}

const register = async (id: string, ownerId: string, { key }: Signing): Promise<void> => {
  const providers = createProviders({ store, books: createJournal({ store }), now });
  const facts = {
    providerId: id,
    owner: ownerId,
    infrastructureType: 'edge_devices',
    asn: 64_500,
    region: 'r',
    tops: 1,
    publicKey: key,
  } as const;
  const caller = { actor: ownerId, commandId: id };
  const outcome = await providers.execute(id, { type: 'register', ...facts }, caller);
  if (!outcome.ok) throw new Error(outcome.message);
};

/** Signs so many new heads, each larger than the one before. */
const newHeads = async (count: number): Promise<Beacon[]> => {
  const signer = createCheckpointSigner([new Uint8Array(32).fill(9)]);
  const heads: Beacon[] = [];
  for (let made = 0; made < count; made++) {
    await store.append(sampleAppend(`sample-${randomBytes(8).toString('hex')}`, NO_STREAM, 1));
    const { position } = await store.head();
    await growLog({ pool, signer }, position);
    const newest = await createTransparencyLog(pool).newest();
    if (newest) heads.push({ size: String(newest.size), root: bytesToHex(newest.root) });
  }
  return heads;
};

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 8 });
  store = createPostgresEventStore({ pool });
  api = await startApiServer({ databaseUrl: database.url, pool, store });
  owner = await api.enrol('provider');
  stranger = await api.enrol('provider');
  await register(ID, owner.id, NODE);
  for (const [index, node] of OBSERVERS.entries())
    await register(providerId(index + 1), `subject-observer-${index}`, node);
  await register(providerId(9), owner.id, signingNode(9));
  const artifacts = createPostgresArtifacts({ pool, signer: createSigner([randomBytes(32)]), now });
  artifact = (await artifacts.put(ARTIFACT, owner.id, 'application/octet-stream')).sha256;
});
afterAll(async () => {
  await api?.stop();
  await store?.close();
  await pool?.end();
  await database?.drop();
});

const slaTerms = (change: Partial<SlaTerms> = {}): SlaTerms => ({
  ...SLA_TERMS,
  providerId: ID,
  observers,
  ...change,
});
const generate = (proofType: string, evidence: object, more: object = {}, caller = owner) =>
  caller.rest.post<Generated>('/v1/fog/proofs/generate', { proof_type: proofType, evidence, ...more });
const verify = (body: object | string, caller = owner) =>
  caller.rest.post<Verified>('/v1/fog/proofs/verify', body);

describe('a proof of SLA compliance', () => {
  const breached = () => slaProofOf([[up(800), down(200)], [up(800), down(200)], [up(1000)]], slaTerms());

  it('R17 R43: is generated once, verified by id and by value, and found in a batch', async () => {
    const proof = breached();
    const made = await generate('proof_of_sla_compliance', proof);
    expect(made).toMatchObject({
      status: 201,
      body: {
        proof_id: proof.proofId,
        proof_data: { merkle_root: proof.record.merkleRoot, witness: proof },
        judgement: { verdict: 'breach-proven', creditPercent: 25 },
        label: null,
        logged: true,
      },
    });
    const again = await generate('proof_of_sla_compliance', proof);
    expect(again.body.position).toBe(made.body.position);
    for (const asked of [{ proof_id: proof.proofId }, { proof }])
      expect((await verify(asked)).body).toMatchObject({
        valid: true,
        label: null,
        judgement: { verdict: 'breach-proven', missed: 200 },
        details: { signature_valid: true, logged: true },
      });
    const batch = await owner.rest.get<Batch>(`/v1/fog/proofs/batch?proof_ids=${proof.proofId}`);
    expect(batch.body.results).toMatchObject([{ proof_id: proof.proofId, valid: true, label: null }]);
  });

  it('is one of a batch as large as asked for; the rest is named, to be asked for next', async () => {
    const made = await Promise.all(
      [10, 20, 30].map((missed) => {
        const seen = [up(1000 - missed), down(missed)];
        return generate('proof_of_sla_compliance', slaProofOf([seen, seen, seen], slaTerms()));
      }),
    );
    const ids = made.map(({ body }) => body.proof_id).sort();
    const ask = (named: readonly string[], size: number | string) =>
      owner.rest.get<Batch>(`/v1/fog/proofs/batch?proof_ids=${named.join(',')}&batch_size=${size}`);
    const first = (await ask(ids.toReversed(), 2)).body;
    expect(first.results.map(({ proof_id }) => proof_id)).toEqual(ids.slice(0, 2));
    expect(first.remaining).toEqual(ids.slice(2));
    const next = (await ask(first.remaining, 2)).body;
    expect(next).toMatchObject({ results: [{ proof_id: ids[2], valid: true }], remaining: [] });
    expect((await ask(ids.slice(0, 2), 100)).body.batch_id).toBe(first.batch_id);
    for (const size of [0, 101, 1.5, 'many'])
      expect(await ask(ids, size)).toMatchObject({
        status: 422,
        body: { code: 'INVALID_REQUEST', errors: [{ field: 'batch_size' }] },
      });
  });

  it('R18: is invalid with one sample changed, whatever is known under its id', async () => {
    const proof = breached();
    const reports = proof.reports.map((report) => ({ ...report, runs: [up(1000)] }));
    expect((await verify({ proof: { ...proof, reports } })).body).toMatchObject({
      valid: false,
      judgement: null,
      details: { signature_valid: false, logged: false },
    });
    expect((await verify({ proof, expected_input_hash: 'ab'.repeat(32) })).body).toMatchObject({
      valid: false,
      reason: 'expected.inputHash: EXPECTATION_MISMATCH',
      details: { input_hash_matches: false },
    });
  });

  it('is refused from observers that are unknown, of the same owner, or not with this key', async () => {
    const seen = [[up(1000)], [up(1000)], [up(1000)]];
    const [first, second] = observers;
    const refused = async (terms: SlaTerms, nodes: readonly Signing[], field: string) =>
      expect(await generate('proof_of_sla_compliance', slaProofOf(seen, terms, nodes))).toMatchObject({
        status: 422,
        body: { code: 'PROOF_VERIFICATION_FAILED', errors: [{ field: `evidence.record.terms.${field}` }] },
      });
    const withThird = (id: string, node: Signing) =>
      refused(
        slaTerms({ observers: [first, second, { id, key: node.key }] as SlaTerms['observers'] }),
        [...OBSERVERS.slice(0, 2), node],
        'observers.2',
      );
    await withThird(providerId(7), signingNode(7));
    await withThird(providerId(9), signingNode(9));
    await withThird(providerId(3), signingNode(8));
    await refused(slaTerms({ providerKey: signingNode(8).key }), OBSERVERS, 'providerKey');
  });

  it('is refused to strangers, for another job, and in another form', async () => {
    const proof = breached();
    expect((await generate('proof_of_sla_compliance', proof, {}, stranger)).status).toBe(404);
    const job = { task_id: 'job-00000000000000000000000000' };
    expect((await generate('proof_of_sla_compliance', proof, job)).body).toMatchObject({
      code: 'PROOF_VERIFICATION_FAILED',
      errors: [{ field: 'evidence.expected.jobId' }],
    });
    const enclave = { enclave_id: 'enclave-00000000000000000000000000' };
    expect((await generate('proof_of_sla_compliance', proof, enclave)).body).toMatchObject({
      code: 'INVALID_REQUEST',
      errors: [{ field: 'enclave_id' }],
    });
    for (const type of ['proof_of_availability', 'proof_of_execution'])
      expect((await generate(type, proof)).body).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('is refused by the depth of its body, and no more than that, where this is nested without end', async () => {
    const { proofId } = breached();
    const text = `{"proof":{"proofId":"${proofId}","record":{"proofType":"proof_of_sla_compliance","x":DEEP}}}`;
    const deep = text.replace('DEEP', '['.repeat(200_000) + ']'.repeat(200_000));
    expect(await verify(deep)).toMatchObject({
      status: 422,
      body: { code: 'INVALID_REQUEST', errors: [{ rule: 'at most 32 levels deep' }] },
    });
  });

  it('R44: of no such type is refused before its evidence is read', async () => {
    expect(await generate('proof_of_weather', {})).toMatchObject({
      status: 422,
      body: { code: 'UNSUPPORTED_PROOF_TYPE', errors: [{ field: 'proof_type' }] },
    });
  });
});

describe('a proof of SLA compliance of a job', () => {
  const FEE = 1000;
  let jobs = 0;
  /** A job that ran for an hour on the provider, and the money it earned. */
  const ranJob = async ({ ended = true } = {}): Promise<string> => {
    const jobId = `job-${String(++jobs).padStart(26, '0')}`;
    const shape = { jobId, submitter: stranger.id, providerId: ID, owner: owner.id, fee: FEE };
    const context = { ...engineContext, correlationId: jobId };
    const events = jobEvents(shape).slice(0, ended ? undefined : -1);
    await store.append({
      stream: jobId,
      expectedRevision: NO_STREAM,
      events: events.map((event) => newEvent(event, context)),
    });
    return jobId;
  };
  const fund = async (amount: number): Promise<void> => {
    const [from, to] = [account.external, account.available(owner.id)];
    const entry = transfer('credit', from, to, toMicro(BigInt(amount)), randomBytes(8).toString('hex'));
    const posted = await createJournal({ store }).post([entry], engineContext);
    if (!posted.ok) throw new Error(posted.message);
  };
  const termsOf = (jobId: string, change: Partial<SlaTerms> = {}): SlaTerms =>
    slaTerms({ jobId, availability: 0.95, slots: 720, ...change });
  const breachOf = (missed: number, terms: SlaTerms) => {
    const seen = missed > 0 ? [up(terms.slots - missed), down(missed)] : [up(terms.slots)];
    return slaProofOf([seen, seen, [up(terms.slots)]], terms);
  };
  const sent = (missed: number, terms: SlaTerms, caller = owner) =>
    generate('proof_of_sla_compliance', breachOf(missed, terms), {}, caller);
  /** Balance and entries as the API shows them once the read model has followed. */
  const accountOf = async ({ id, rest }: Caller) => {
    await createRunner({ pool, store, log: pino({ level: 'silent' }) }).catchUp(ledger);
    return (await rest.get<Account>(`/v1/ledger/accounts/${id}`)).body;
  };

  it('moves its credit once, from provider to submitter; a worse window moves the difference', async () => {
    const jobId = await ranJob();
    await fund(FEE);
    const before = await accountOf(stranger).then(({ available }) => Number(available ?? 0));
    const first = await sent(200, termsOf(jobId));
    expect(first).toMatchObject({
      status: 201,
      body: {
        judgement: { creditPercent: 25 },
        credit: { due: '250', paid: '250', outstanding: '0', position: first.body.position },
      },
    });
    const again = await sent(200, termsOf(jobId));
    expect(again.body).toEqual(first.body);
    // Another window as bad, and one that is not: nothing more.
    const shorter = await sent(200, termsOf(jobId, { slots: 700 }));
    expect(shorter.body.credit).toEqual(first.body.credit);
    expect((await sent(0, termsOf(jobId))).body.credit).toBeNull();
    const worse = await sent(400, termsOf(jobId));
    expect(worse.body.credit).toMatchObject({ due: '1000', paid: '1000' });
    const shown = await accountOf(stranger);
    expect(shown).toMatchObject({ available: String(before + FEE), total: '0' });
    expect(shown.entries.items.slice(0, 2)).toMatchObject([
      { kind: 'sla-credit', amount: '750' },
      { kind: 'sla-credit', amount: '250', position: String(BigInt(first.body.position) - 1n) },
    ]);
    const { proofId } = breachOf(400, termsOf(jobId));
    for (const caller of [owner, stranger])
      expect((await verify({ proof_id: proofId }, caller)).body.credit).toMatchObject({ paid: '1000' });
    expect((await verify({ proof_id: proofId }, await api.enrol('provider'))).body.credit).toBeNull();
  });

  it('records what the provider cannot pay, and takes it when the proof is sent again', async () => {
    const jobId = await ranJob();
    const left = Number((await accountOf(owner)).available);
    const owed = await sent(400, termsOf(jobId));
    const outstanding = FEE - left;
    expect(owed.body.credit).toMatchObject({
      due: '1000',
      paid: String(left),
      outstanding: String(outstanding),
    });
    await fund(outstanding + 5);
    const settled = await sent(400, termsOf(jobId));
    expect(settled.body.credit).toMatchObject({ paid: '1000', outstanding: '0' });
    expect(await accountOf(owner)).toMatchObject({ available: '5', total: '0' });
  });

  it('is held against the ledger by an audit', async () => {
    const { position, hash } = await store.head();
    const { sla, problems } = await walkLog(pool, { position, hash, newest: position });
    expect(problems).toEqual([]);
    const credits = await pool.query(
      `select sum(amount)::text as paid from fog.ledger_postings where kind = 'sla-credit' and amount > 0`,
    );
    expect(sla).toEqual({ paid: credits.rows[0]?.paid, outstanding: '0' });
    expect(sla.paid).not.toBe('0');
  });

  it('is given once by many requests at a time', async () => {
    const jobId = await ranJob();
    await fund(FEE);
    const before = Number((await accountOf(stranger)).available);
    const terms = termsOf(jobId);
    const answers = await Promise.all([200, 200, 300, 200, 300, 300].map((missed) => sent(missed, terms)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 201));
    expect(await accountOf(stranger)).toMatchObject({ available: String(before + 250), total: '0' });
  });

  it('is refused where the log knows no such service', async () => {
    const jobId = await ranJob();
    const refused = async (terms: SlaTerms, field: string, missed = 0) =>
      expect((await sent(missed, terms)).body).toMatchObject({
        code: 'PROOF_VERIFICATION_FAILED',
        errors: [{ field: `evidence.record.terms.${field}` }],
      });
    await refused(termsOf(jobId, { from: addSeconds(RUN_FROM, -5) }), 'from');
    await refused(termsOf(jobId, { slots: 721 }), 'from');
    await refused(termsOf(jobId, { availability: 0.96 }), 'availability');
    const unknown = { code: 'RESOURCE_NOT_FOUND', errors: [{ field: 'evidence.record.terms.jobId' }] };
    for (const name of [`job-${'9'.repeat(26)}`, ID, 'no job'])
      expect((await sent(0, termsOf(name))).body).toMatchObject(unknown);
    const open = await ranJob({ ended: false });
    expect((await sent(0, termsOf(open))).status).toBe(201);
    const early = await sent(200, termsOf(open));
    expect(early).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    expect(await store.readStream(breachOf(200, termsOf(open)).proofId)).toEqual([]);
  });
});

describe('R47: a proof of availability', () => {
  /** Rounds from now on, over heads that are signed in the first of them. */
  const proofFrom = async (change: Partial<AvailabilityTerms> = {}, fromSecondsAgo = 0) => {
    const from = addSeconds(now(), -fromSecondsAgo);
    const terms: AvailabilityTerms = {
      ...AVAILABILITY_TERMS,
      providerId: ID,
      observers,
      artifact,
      rounds: 2,
      from,
      everySeconds: 20,
      ...change,
    };
    return availabilityProofOf(
      [
        [1, 1, 1],
        [1, 'silent', 1],
      ],
      { terms, heads: await newHeads(2) },
    );
  };

  it('is generated over stored chunks and signed heads; the log holds no chunk', async () => {
    const proof = await proofFrom();
    const made = await generate('proof_of_availability', proof);
    expect(made).toMatchObject({
      status: 201,
      body: { proof_id: proof.proofId, judgement: { verdict: 'available', passed: 2 } },
    });
    for (const asked of [{ proof_id: proof.proofId }, { proof }])
      expect((await verify(asked)).body).toMatchObject({
        valid: true,
        judgement: { verdict: 'available' },
        details: { signature_valid: true, logged: true },
      });
    const [event] = await store.readStream(proof.proofId);
    expect(event?.type).toBe('proof.availability-recorded');
    expect(event?.data['evidence']).toBe(hashOfJson(proof));
    expect(JSON.stringify(event?.data)).not.toContain(proof.rounds[0]?.answer?.openings[0]?.chunk);
  });

  it('is refused over heads that the log never signed, or that are too old to be unpredictable', async () => {
    const proof = await proofFrom();
    const { terms } = proof.record;
    const invented = availabilityProofOf(
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
      { terms },
    );
    const unknown = {
      code: 'PROOF_VERIFICATION_FAILED',
      errors: [{ field: 'evidence.heads', rule: 'UNKNOWN_HEAD' }],
    };
    expect((await generate('proof_of_availability', invented)).body).toMatchObject(unknown);
    // Signed now, long after these rounds: nobody asked for chunks drawn from them.
    const late = await proofFrom({}, 3600);
    expect((await generate('proof_of_availability', late)).body).toMatchObject(unknown);
    expect((await verify({ proof: late })).body).toMatchObject({
      valid: false,
      reason: 'heads: UNKNOWN_HEAD',
    });
  });

  it('is refused over another artefact, or one that nobody stored', async () => {
    const refuse = async (change: Partial<AvailabilityTerms>) =>
      (await generate('proof_of_availability', await proofFrom(change))).body;
    expect(await refuse({ artifact: 'cd'.repeat(32) })).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    const bytes = ARTIFACT.slice().fill(0);
    const artifacts = createPostgresArtifacts({ pool, signer: createSigner([randomBytes(32)]), now });
    const [zeros, short] = await Promise.all(
      [bytes, bytes.subarray(1)].map((each) => artifacts.put(each, 'subject-1', 'text/plain')),
    );
    expect(await refuse({ artifact: zeros?.sha256 ?? '' })).toMatchObject({
      errors: [{ field: 'evidence.record.terms.chunkRoot' }],
    });
    expect(await refuse({ artifact: short?.sha256 ?? '' })).toMatchObject({
      errors: [{ field: 'evidence.record.terms.size' }],
    });
  });
});
