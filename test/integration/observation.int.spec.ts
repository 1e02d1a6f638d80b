import { createHash, randomBytes } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createObservationActivities, type ObservationDeps } from '../../activities/observation.ts';
import type { NodeRequest } from '../../domain/mesh/messages.ts';
import type { ObservationTarget } from '../../domain/observation/terms.ts';
import { windowsAround } from '../../domain/observation/window.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import type { AvailabilityTerms } from '../../domain/proof/availability-record.ts';
import { addSeconds, instant } from '../../domain/time.ts';
import { createPostgresArtifacts } from '../../infra/artifacts/postgres.ts';
import { createPostgresEventStore } from '../../infra/event-store/postgres/store.ts';
import { createSigner } from '../../infra/keys/signer.ts';
import { createCollector } from '../../infra/observation/collector.ts';
import { createObservationEvidence } from '../../infra/observation/evidence.ts';
import { createObservations, type Observations } from '../../infra/observation/observations.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { createPool } from '../../infra/postgres/pool.ts';
import { growLog } from '../../infra/tlog/grow.ts';
import { createCheckpointSigner } from '../../infra/tlog/signer.ts';
import { createTransparencyLog } from '../../infra/tlog/transparency-log.ts';
import { verifyAvailabilityProof } from '../../infra/verify/index.ts';
import { equivocating, neighbourhood, type Scene, type SceneOptions } from '../support/neighbourhood.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const SETTINGS = { network: 'test', roundSeconds: 60, rounds: 2 };
const MODULE = randomBytes(5000);
const ARTIFACT = createHash('sha256').update(MODULE).digest('hex');

let database: TestDatabase;
let pool: Pool;
let clock: number;
let scene: Scene;
let kept: Uint8Array | null;
/** Nodes that the engine cannot reach, by place. */
let away: Set<number>;
let asked: string[];
let observations: Observations;
let from = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test-observation', max: 8 });
  observations = createObservations(pool);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const begin = async (opens?: SceneOptions['opens']): Promise<void> => {
  scene = await neighbourhood({
    nowMs: () => clock,
    kept: () => ({ read: () => Promise.resolve(kept) }),
    ...(opens && { opens }),
  });
};
beforeEach(() => {
  // A window that no other test has seen.
  from += 86_400_000;
  clock = from + 500;
  kept = MODULE;
  away = new Set();
  asked = [];
});
afterEach(() => scene.stop());

/** The nodes' own code, without the engine's wire in between. */
const gateway: Pick<NodeGateway, 'request'> = {
  request: async (providerId: string, request: NodeRequest) => {
    const place = scene.nodes.findIndex(({ member }) => member.nodeId === providerId);
    const node = scene.nodes[place];
    if (!node || away.has(place)) return { type: 'unreachable', message: 'away', cause: 'node' };
    asked.push(`${request.type} ${place}`);
    if (request.type !== 'observe' && request.type !== 'be-observed') throw new Error(request.type);
    const reply = await (request.type === 'observe'
      ? node.observing.observe(request)
      : node.observing.expect(request.terms));
    // The reply belongs to the request's type, which the port's generic cannot see here.
    return ('ok' in reply ? { type: 'refused', ...reply } : reply) as never;
  },
};

const target = (): ObservationTarget => {
  const [provider, ...others] = scene.nodes;
  return {
    providerId: provider.member.nodeId,
    providerKey: provider.member.peer.publicKey,
    owner: 'subject-0',
    jobId: null,
    artifact: ARTIFACT,
    neighbours: others.map(({ member }, index) => ({
      id: member.nodeId,
      key: member.peer.publicKey,
      owner: `subject-${index + 1}`,
    })),
  };
};

const now = (): string => instant(clock);

/** Stream of the window that begins with the given round of a test. */
const streamFrom = (round: number, settings = SETTINGS): string =>
  windowsAround(settings, instant(from + round * 60_000))[0]?.stream ?? '';

/** The engine's side, on a real store and a log that is signed whenever somebody looks. */
const engine = (change: Partial<ObservationDeps> = {}) => {
  const store = createPostgresEventStore({ pool });
  const artifacts = createPostgresArtifacts({ pool, signer: createSigner([randomBytes(32)]), now });
  const signer = createCheckpointSigner([randomBytes(32)]);
  const activities = createObservationActivities({
    store,
    artifacts,
    observations,
    collector: createCollector({ gateway, observations, now }),
    targets: () => Promise.resolve([target()]),
    newestHead: async () => {
      await growLog({ pool, signer }, (await store.head()).position);
      return createTransparencyLog(pool).newest();
    },
    anchoredHead: () => Promise.resolve(null),
    detector: { mark: () => ({ stretch: 0, at: 0 }), held: () => Promise.resolve(true) },
    anchoring: false,
    now,
    ...change,
  });
  return {
    store,
    turn: async (round: number, settings = SETTINGS): Promise<void> => {
      clock = Math.max(clock, from + round * 60_000 + 500);
      await artifacts.put(MODULE, 'subject-0', 'application/wasm');
      await new MockActivityEnvironment().run(activities['observation.turn'], settings);
    },
  };
};

const proofNow = (providerId = target().providerId) =>
  createObservationEvidence({ observations, now }).proofOf(providerId);

describe('windows of observation', { timeout: 60_000 }, () => {
  it('open with their terms, then a round at a time, and prove what the observers signed', async () => {
    await begin();
    const { store, turn } = engine();
    await turn(0);
    expect(await proofNow()).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    await turn(1);
    clock = from + 120_000;
    const proof = await proofNow();
    if (!proof.ok) throw new Error(proof.message);
    const { record, rounds } = proof.value;
    expect(record.judgement).toEqual({ verdict: 'available', passed: 2, failed: 0, unobserved: 0 });

    const stream = streamFrom(0);
    const events = await store.readStream(stream);
    expect(events.map(({ type }) => type)).toEqual([
      'observation.opened',
      'observation.round-opened',
      'observation.round-opened',
    ]);
    // Each round is drawn from a head that covers the event that opened it.
    const heads = [];
    for (const [index, { beacon }] of rounds.entries()) {
      expect(BigInt(beacon.size)).toBeGreaterThanOrEqual(events[index + 1]?.position ?? 0n);
      const head = await createTransparencyLog(pool).checkpointAt(BigInt(beacon.size));
      heads.push({ size: beacon.size, root: Buffer.from(head?.root ?? []).toString('hex') });
    }
    const verdict = verifyAvailabilityProof(proof.value, { now: now(), heads });
    expect(verdict.reasons.filter(({ ok }) => !ok)).toEqual([]);
    const source = await pool.query('select distinct beacon_source from engine.observed_rounds');
    expect(source.rows).toEqual([{ beacon_source: 'signed' }]);
  });

  it('find a node unavailable whose file is gone', async () => {
    await begin();
    const { turn } = engine();
    kept = null;
    await turn(0);
    await turn(1);
    clock = from + 120_000;
    expect(await proofNow()).toMatchObject({ value: { record: { judgement: { verdict: 'unavailable' } } } });
  });

  it('draw from an anchored head where there is one', async () => {
    await begin();
    const root = randomBytes(32);
    const { turn } = engine({
      anchoring: true,
      anchoredHead: (position) => Promise.resolve({ size: position + 3n, root }),
    });
    await turn(0);
    const [round] = await observations.ofProvider(target().providerId, addSeconds(now(), 600));
    expect(round).toMatchObject({ source: 'anchored', beacon: { root: root.toString('hex') } });
  });

  it('wait for an anchor a part of the round, and do without then', async () => {
    await begin();
    let looks = 0;
    const { turn } = engine({
      anchoring: true,
      anchoredHead: () => {
        looks++;
        clock += 2_000;
        return Promise.resolve(null);
      },
    });
    await turn(0);
    expect(looks).toBeGreaterThan(2);
    expect(await observations.ofProvider(target().providerId, addSeconds(now(), 600))).toMatchObject([
      { source: 'signed', receipts: [{ outcome: 'answered' }, { outcome: 'answered' }] },
    ]);
  });

  it('begin anew after a round without a head, in which nobody was asked', async () => {
    await begin();
    const headless = engine({
      newestHead: () => {
        clock += 20_000;
        return Promise.resolve(null);
      },
    });
    await headless.turn(0);
    expect(asked).toEqual([]);
    const { store, turn } = engine();
    await turn(1);
    await turn(2);
    clock = from + 180_000;
    expect(await proofNow()).toMatchObject({
      value: { record: { terms: { from: instant(from + 60_000) }, judgement: { verdict: 'available' } } },
    });
    expect(await store.readStream(streamFrom(0))).toHaveLength(2);
    expect(await store.readStream(streamFrom(1))).toHaveLength(3);
  });

  it('are void for a round in which the engine slept: nobody is unavailable for what it was not told', async () => {
    await begin();
    let slept = false;
    const sleepy: Pick<NodeGateway, 'request'> = {
      request: (id, request, options) => {
        if (request.type !== 'be-observed') return gateway.request(id, request, options);
        slept = true;
        return Promise.resolve({ type: 'unreachable', message: 'timeout', cause: 'node' });
      },
    };
    await engine({
      collector: createCollector({ gateway: sleepy, observations, now }),
      detector: { mark: () => ({ stretch: 0, at: 0 }), held: () => Promise.resolve(!slept) },
    }).turn(0);
    expect(slept).toBe(true);
    expect(asked).toEqual([]);
    const { turn } = engine();
    await turn(1);
    await turn(2);
    clock = from + 180_000;
    expect(await proofNow()).toMatchObject({
      value: { record: { terms: { from: instant(from + 60_000) }, judgement: { verdict: 'available' } } },
    });
  });

  it('begin with any round, and anew where an engine was away for one', async () => {
    await begin();
    const settings = { ...SETTINGS, rounds: 4 };
    const { store, turn } = engine();
    for (const round of [3, 4, 6, 7]) await turn(round, settings);
    const lengths = [];
    for (const round of [3, 4, 6, 7])
      lengths.push((await store.readStream(streamFrom(round, settings))).length);
    expect(lengths).toEqual([3, 0, 3, 0]);
  });

  it('do not begin while there is nobody to observe', async () => {
    await begin();
    const { store, turn } = engine({ targets: () => Promise.resolve([]) });
    await turn(0);
    expect(await store.readStream(streamFrom(0))).toEqual([]);
  });

  it('ask nobody twice when a turn is run again', async () => {
    await begin();
    const { store, turn } = engine();
    await turn(0);
    await turn(0);
    expect(asked.filter((request) => request.startsWith('observe'))).toHaveLength(2);
    expect(await observations.newestOf(target().providerId, 1)).toMatchObject([
      { round: 0, findings: ['answered', 'answered'] },
    ]);
    expect(await store.readStream(streamFrom(0))).toHaveLength(2);
  });

  it('have an observer that was away say later that it did not look', async () => {
    await begin();
    const { turn } = engine();
    away.add(2);
    await turn(0);
    await turn(1);
    clock = from + 120_000;
    expect(await proofNow()).toMatchObject({ ok: false, code: 'CONFLICT' });
    away.clear();
    await turn(2);
    expect(await proofNow()).toMatchObject({
      value: { record: { judgement: { verdict: 'not-yet-provable', unobserved: 2 } } },
    });
  });

  it('hold all observers to one answer of a node that signs two', async () => {
    await begin(equivocating);
    const { turn } = engine();
    await turn(0);
    await turn(1);
    clock = from + 120_000;
    const proof = await proofNow();
    if (!proof.ok) throw new Error(proof.message);
    for (const { answer, receipts } of proof.value.rounds) {
      expect(answer).not.toBeNull();
      expect(receipts.map(({ outcome }) => outcome).sort()).toEqual(['answered', 'silent']);
    }
    const verdict = verifyAvailabilityProof(proof.value, { now: now() });
    expect(verdict.reasons.filter(({ ok }) => !ok)).toEqual([]);
    expect(verdict.judgement?.passed).toBe(0);
  });
});

describe('what is collected', { timeout: 60_000 }, () => {
  const [terms, other] = [{ from: 1 }, { from: 2 }].map(
    (each) =>
      ({
        ...each,
        providerId: 'provider-x',
        observers: [],
        rounds: 2,
        everySeconds: 60,
      }) as unknown as AvailabilityTerms,
  );

  it('holds no receipt that the observer has not signed', async () => {
    await begin();
    const forging: Pick<NodeGateway, 'request'> = {
      request: async (id, request, options) => {
        const reply = await gateway.request(id, request, options);
        if (reply.type !== 'observed') return reply;
        const receipt = { ...reply.receipt, outcome: 'silent', answeredAt: null };
        return { ...reply, receipt, answer: null, finding: 'silent' } as never;
      },
    };
    await engine({ collector: createCollector({ gateway: forging, observations, now }) }).turn(0);
    expect(asked.filter((request) => request.startsWith('observe'))).toHaveLength(2);
    const collected = await observations.ofProvider(target().providerId, addSeconds(now(), 600));
    expect(collected).toMatchObject([{ round: 0, answer: null, receipts: [] }]);
  });

  it('is kept once and forgotten after its time', async () => {
    await begin();
    const at = '2026-06-01T00:00:00.000Z';
    const window = { stream: 'observation-x' };
    const made = { ...(terms as AvailabilityTerms), from: at };
    await observations.keepTerms(window, [
      made,
      { ...(other as AvailabilityTerms), from: addSeconds(at, 120) },
    ]);
    await observations.keepTerms(window, [made]);
    await observations.keepRound(made, 0, { size: '1', root: 'ab', source: 'signed' });
    await observations.keepRound(made, 0, { size: '2', root: 'cd', source: 'anchored' });
    const first = { openings: [], signature: 'a' };
    expect(await observations.keepAnswer(made, 0, first)).toEqual(first);
    expect(await observations.keepAnswer(made, 0, { openings: [], signature: 'b' })).toEqual(first);
    await expect(observations.keepAnswer(made, 1, first)).rejects.toThrow('round 1');
    expect(await observations.ofProvider('provider-x', addSeconds(at, 119))).toEqual([]);
    expect(await observations.ofProvider('provider-x', addSeconds(at, 120))).toMatchObject([
      { round: 0, beacon: { size: '1', root: 'ab' }, source: 'signed', answer: first },
    ]);
    await observations.forgetBefore(addSeconds(at, 121));
    expect(await observations.ofProvider('provider-x', addSeconds(at, 600))).toEqual([]);
    const left = await pool.query(`select 1 from engine.observed_terms where provider_id = 'provider-x'`);
    expect(left.rowCount).toBe(1);
  });
});
