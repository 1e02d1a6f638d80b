import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toMicro, ZERO } from '../../../domain/money.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createMemoryEventStore } from '../../event-store/memory/store.ts';
import { createJournal } from '../../journal/journal.ts';
import { createEnrolment } from '../../keys/enrolment.ts';
import { rolesOfKey } from '../../keys/standing.ts';
import { createSubjectStreams } from '../../keys/subject-streams.ts';
import { createSubjects } from '../../keys/subjects.ts';
import type { AskNode } from '../../p2p/ask-node.ts';
import type { BidRequest } from '../../p2p/engine-handlers.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { createAdmission } from '../../providers/admission.ts';
import type { AttestationReport } from '../../providers/attestation-judge.ts';
import { createNewcomers, NEWCOMER_LIMITS } from '../../providers/newcomers.ts';
import { createProviders } from '../../providers/providers.ts';
import { memoryWindows } from '../../rate-limits/windows.ts';
import { createMeshHandlers, type MeshHandlerDeps } from './mesh-handlers.ts';

const now = () => '2026-01-01T00:00:00.000Z';
const admin = () => ({ actor: 'subject-admin', commandId: `command-${randomBytes(8).toString('hex')}` });
const JOIN = {
  type: 'join',
  infrastructureType: 'edge_devices',
  asn: 1,
  region: 'here',
  tops: 1,
  platforms: ['amd_sev_snp'],
  stake: ZERO,
  at: now(),
} as const;
const NETWORK = '127.0.0.0/16';
const BID: BidRequest = {
  type: 'bid',
  auctionId: `auction-${'0'.repeat(26)}`,
  price: toMicro(1n),
  signature: '',
};

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

interface Told {
  readonly code: string;
  readonly network: string;
  readonly publicKey: string;
}

/** A worker with a log of its own; its nodes' hosts attest where `attests` says so. */
const engine = ({ openEnrolment = true, attests = true } = {}) => {
  const store = createMemoryEventStore();
  const providers = createProviders({ store, books: createJournal({ store }), now });
  const enrolment = createEnrolment({ pool, store, now });
  const subjects = createSubjects({
    pool,
    streams: createSubjectStreams({ store, now }),
    enrolment,
    credentials: { forget: () => undefined },
  });
  /** Questions that reached the node. */
  const asked: string[] = [];
  const ask = (async ({ type }) => {
    asked.push(type);
    if (!attests) return { type: 'unreachable', message: 'no host here', cause: 'node' };
    return {
      type: 'attestation',
      evidence: { platform: 'amd_sev_snp', report: '', certificates: [] },
      enclaveKey: '',
    };
  }) as AskNode;
  const report = {
    label: 'simulated',
    reportHash: '00',
    chipId: newKey(),
    expiresAt: '2026-01-02T00:00:00.000Z',
  };
  const admission = createAdmission({
    providers,
    newcomers: createNewcomers({
      rolesOfKey: (publicKey) => rolesOfKey(pool, publicKey),
      openEnrolment,
      windows: memoryWindows(),
    }),
    enrolment,
    nonces: { use: async () => true, isUsed: async () => false },
    judge: { judge: async () => ({ ok: true, report: report as unknown as AttestationReport }) },
    requireHardware: false,
    now,
  });
  const told: Told[] = [];
  const handlers = createMeshHandlers({
    admission,
    providers,
    store,
    pool,
    now,
    nodeJoined: () => undefined,
    log: { info: (fields: Told) => told.push(fields) },
  } as unknown as MeshHandlerDeps);
  const join = (publicKey: string, change: object = {}) =>
    handlers.join(publicKey, { ...JOIN, ...change }, ask, NETWORK);
  const written = async () => (await store.head()).position;
  return { handlers, join, providers, enrolment, subjects, asked, told, written };
};

const newKey = () => randomBytes(32).toString('hex');

test('a node whose owner has lost the role provider neither joins nor bids', async () => {
  const { handlers, join, providers, subjects, asked } = engine();
  const publicKey = newKey();
  const providerId = providerIdOf(publicKey);
  // Its bids get as far as the auction.
  expect(await join(publicKey)).toMatchObject({ ok: true, value: providerId });
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  const owner = (await providers.find(providerId))?.owner ?? '';
  await subjects.changeRoles(owner, ['submitter'], admin());
  expect(await join(publicKey)).toMatchObject({ ok: false, code: 'AUTHORIZATION_FAILED' });
  expect(await handlers.bid(providerId, BID)).toMatchObject({ ok: false, code: 'AUTHORIZATION_FAILED' });
  await subjects.changeRoles(owner, ['provider'], admin());
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  await subjects.revokeKey(owner, publicKey, admin());
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
  expect(asked).toEqual(['attest-host']);
});

test('a key from which the role was taken before it ever joined is not registered', async () => {
  const { join, providers, enrolment, subjects, asked } = engine();
  const [demoted, revoked] = [newKey(), newKey()];
  for (const publicKey of [demoted, revoked]) {
    const enrolled = await enrolment.enrolPublicKey(publicKey, ['provider']);
    if (!enrolled.ok) throw new Error(enrolled.message);
    const { subjectId } = enrolled.value;
    if (publicKey === demoted) await subjects.changeRoles(subjectId, ['submitter'], admin());
    else await subjects.revokeKey(subjectId, publicKey, admin());
  }
  for (const publicKey of [demoted, revoked]) {
    expect(await join(publicKey)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
    expect(await providers.find(providerIdOf(publicKey))).toBeNull();
  }
  expect(asked).toEqual([]);
});

describe('a refused join writes no event', () => {
  test('where enrolment is closed, to a key that no admin has enrolled', async () => {
    const { join, enrolment, asked, written, told } = engine({ openEnrolment: false });
    const publicKey = newKey();
    expect(await join(publicKey)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
    expect(asked).toEqual([]);
    expect(await written()).toBe(0n);
    expect(told).toEqual([
      expect.objectContaining({ code: 'AUTHORIZATION_FAILED', publicKey, network: NETWORK }),
    ]);
    await enrolment.enrolPublicKey(publicKey, ['provider']);
    expect(await join(publicKey)).toMatchObject({ ok: true });
  });

  test('whose host does not attest', async () => {
    const { handlers, join, asked, written } = engine({ attests: false });
    const publicKey = newKey();
    expect(await join(publicKey)).toMatchObject({ code: 'ATTESTATION_FAILED' });
    expect(asked).toEqual(['attest-host']);
    expect(await written()).toBe(0n);
    expect(await handlers.bid(providerIdOf(publicKey), BID)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
  });

  test('that shows a VRF key which it does not hold', async () => {
    const { join, asked, written } = engine();
    const vrf = { publicKey: newKey(), proof: randomBytes(80).toString('hex') };
    expect(await join(newKey(), { vrf })).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(asked).toEqual([]);
    expect(await written()).toBe(0n);
  });

  test('and there are so many a minute of one key, and of one network, that reach the host and the log', async () => {
    const { join, asked, told, written } = engine({ attests: false });
    const { key, network } = NEWCOMER_LIMITS;
    const one = newKey();
    for (let tries = 0; tries < key; tries++)
      expect(await join(one)).toMatchObject({ code: 'ATTESTATION_FAILED' });
    expect(await join(one)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    const others = await Promise.all(Array.from({ length: network }, () => join(newKey())));
    const refused = others.filter((each) => !each.ok && each.code === 'RATE_LIMIT_EXCEEDED');
    expect(refused).toHaveLength(key);
    expect(asked).toHaveLength(network);
    expect(told).toHaveLength(60);
    expect(await written()).toBe(0n);
  });

  test('a provider that rejoins is not held up by newcomers', async () => {
    const { join } = engine();
    const publicKey = newKey();
    expect(await join(publicKey)).toMatchObject({ ok: true });
    await Promise.all(Array.from({ length: NEWCOMER_LIMITS.network }, () => join(newKey())));
    expect(await join(newKey())).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(await join(publicKey)).toMatchObject({ ok: true });
  });
});

test('a node whose owner cannot pay the stake is in, without stake', async () => {
  const { join, providers } = engine();
  const publicKey = newKey();
  expect(await join(publicKey, { stake: toMicro(1n) })).toMatchObject({ ok: true });
  expect(await providers.find(providerIdOf(publicKey))).toMatchObject({ stake: '0' });
});
