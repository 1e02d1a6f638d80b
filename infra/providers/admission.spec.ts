import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { ok } from '../../domain/errors.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createJournal } from '../journal/journal.ts';
import type { AskNode } from '../p2p/ask-node.ts';
import { createAdmission } from './admission.ts';
import type { AttestationReport } from './attestation-judge.ts';
import { createProviders } from './providers.ts';

const now = () => '2026-01-01T00:00:00.000Z';
const OWNER = 'subject-1';
const STAKE = toMicro(1_000_000n);
const JOIN = {
  type: 'join',
  infrastructureType: 'edge_devices',
  asn: 1,
  region: 'here',
  tops: 1,
  platforms: ['amd_sev_snp'],
  stake: STAKE,
  at: now(),
} as const;

test('a node that joins two workers at once is registered, attested and staked once', async () => {
  const store = createMemoryEventStore();
  const books = createJournal({ store });
  const credit = transfer('credit', account.external, account.available(OWNER), toMicro(5_000_000n), 'c');
  const cause = { actor: 'test', correlationId: 'c', causationId: 'c', traceparent: null, occurredAt: now() };
  expect(await books.post([credit], cause)).toMatchObject({ ok: true });

  const bothAsked = Promise.withResolvers<void>();
  let asked = 0;
  /** Neither worker gets its report before both have found that one is missing. */
  const ask = (async () => {
    if (++asked === 2) bothAsked.resolve();
    await bothAsked.promise;
    const evidence = { platform: 'amd_sev_snp', report: '', certificates: [] };
    return { type: 'attestation', evidence, enclaveKey: '' };
  }) as unknown as AskNode;
  const report = {
    label: 'simulated',
    reportHash: '00',
    chipId: 'c1'.repeat(64),
    expiresAt: '2026-01-02T00:00:00.000Z',
  } as unknown as AttestationReport;

  /** A worker of its own: it shares nothing but the log. */
  const worker = () =>
    createAdmission({
      providers: createProviders({ store, books: createJournal({ store }), now }),
      newcomers: async () => null,
      enrolment: { enrolPublicKey: async () => ok({ subjectId: OWNER, roles: ['provider'], position: '1' }) },
      nonces: { use: async () => true, isUsed: async () => false },
      judge: { judge: async () => ({ ok: true, report }) },
      requireHardware: false,
      now,
    });
  const publicKey = randomBytes(32).toString('hex');
  const join = () => worker().join(publicKey, JOIN, ask, '127.0.0.0/16');
  const providerId = providerIdOf(publicKey);
  expect(await Promise.all([join(), join()])).toEqual([ok(providerId), ok(providerId)]);
  expect((await store.readStream(providerId)).map(({ type }) => type)).toEqual([
    'provider.registered',
    'provider.attested',
    'provider.stake-locked',
  ]);
  expect(await join()).toEqual(ok(providerId));
  expect(asked).toBe(2);
});
