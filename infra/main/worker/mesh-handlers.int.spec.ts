import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toMicro, ZERO } from '../../../domain/money.ts';
import { providerIdOf } from '../../../domain/provider/provider-id.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createMemoryEventStore } from '../../event-store/memory/store.ts';
import { createJournal } from '../../journal/journal.ts';
import { createEnrolment } from '../../keys/enrolment.ts';
import { createSubjectStreams } from '../../keys/subject-streams.ts';
import { createSubjects } from '../../keys/subjects.ts';
import type { AskNode } from '../../p2p/ask-node.ts';
import type { BidRequest } from '../../p2p/engine-handlers.ts';
import { migrate } from '../../postgres/migrate.ts';
import { createPool } from '../../postgres/pool.ts';
import { createAdmission } from '../../providers/admission.ts';
import { createProviders } from '../../providers/providers.ts';
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

const engine = () => {
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
  const ask: AskNode = async ({ type }) => {
    asked.push(type);
    return { type: 'unreachable', message: 'no host here', cause: 'node' };
  };
  const admission = createAdmission({
    providers,
    enrolment,
    nonces: { use: async () => true, isUsed: async () => false },
    judge: { judge: () => Promise.reject(new Error('nothing to judge')) },
    requireHardware: false,
    now,
  });
  const handlers = createMeshHandlers({
    admission,
    providers,
    store,
    pool,
    now,
  } as unknown as MeshHandlerDeps);
  return { handlers, providers, enrolment, subjects, ask, asked };
};

test('a node whose owner has lost the role provider neither joins nor bids', async () => {
  const { handlers, providers, subjects, ask, asked } = engine();
  const publicKey = randomBytes(32).toString('hex');
  const providerId = providerIdOf(publicKey);
  const join = () => handlers.join(publicKey, JOIN, ask, '127.0.0.0/16');
  // It is let in as far as its host, which attests nothing here, and its bids as far as the auction.
  expect(await join()).toMatchObject({ code: 'ATTESTATION_FAILED' });
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  expect(asked).toEqual(['attest-host']);
  const owner = (await providers.find(providerId))?.owner ?? '';
  await subjects.changeRoles(owner, ['submitter'], admin());
  expect(await join()).toMatchObject({ ok: false, code: 'AUTHORIZATION_FAILED' });
  expect(await handlers.bid(providerId, BID)).toMatchObject({ ok: false, code: 'AUTHORIZATION_FAILED' });
  await subjects.changeRoles(owner, ['provider'], admin());
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  await subjects.revokeKey(owner, publicKey, admin());
  expect(await handlers.bid(providerId, BID)).toMatchObject({ code: 'AUTHORIZATION_FAILED' });
  expect(asked).toEqual(['attest-host']);
});

test('a key from which the role was taken before it ever joined is not registered', async () => {
  const { handlers, providers, enrolment, subjects, ask } = engine();
  const publicKey = randomBytes(32).toString('hex');
  const enrolled = await enrolment.enrolPublicKey(publicKey, ['provider']);
  if (!enrolled.ok) throw new Error(enrolled.message);
  await subjects.changeRoles(enrolled.value.subjectId, ['submitter'], admin());
  expect(await handlers.join(publicKey, JOIN, ask, '127.0.0.0/16')).toMatchObject({
    code: 'AUTHORIZATION_FAILED',
  });
  expect(await providers.find(providerIdOf(publicKey))).toBeNull();
});
