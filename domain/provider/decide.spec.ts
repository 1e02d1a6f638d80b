import { describe, expect, test } from 'vitest';
import { specify } from '../../test/support/decider.ts';
import { toMicro } from '../money.ts';
import { addSeconds } from '../time.ts';
import { decideProvider, type ProviderCommand } from './decide.ts';
import { EVIDENCE_REASONS, type EvidenceReason, type ProviderEvent } from './events.ts';
import { evolveProvider, type ProviderState, unknownProvider } from './fold.ts';
import { EVIDENCE_WEIGHTS } from './opinion.ts';

const { given } = specify<ProviderState, ProviderCommand, ProviderEvent>({
  initial: unknownProvider,
  evolve: evolveProvider,
  decide: decideProvider,
});

const AT = '2026-01-01T00:00:00.000Z';
const now = { now: AT };

const facts = {
  providerId: 'provider-1',
  owner: 'owner-1',
  infrastructureType: 'cloud_aws',
  asn: 64_512,
  region: 'region-1',
  tops: 1000,
  publicKey: 'aa',
} as const;
const register: ProviderCommand = { type: 'register', ...facts };
const registered: ProviderEvent = {
  type: 'provider.registered',
  machineVersion: 1,
  ...facts,
  registeredAt: AT,
};
const host = {
  platform: 'amd_sev_snp',
  label: 'simulated',
  reportHash: 'bb',
  nonce: 'cc',
  expiresAt: addSeconds(AT, 60),
} as const;

/** Each item of delivered work is paid for in full, and by another payer. */
const workOf = (evidenceId: string) => ({ payer: `payer of ${evidenceId}`, fee: toMicro('1000') });
const record = (evidenceId: string, reason: EvidenceReason): ProviderCommand => ({
  type: 'record-evidence',
  evidenceId,
  ...(reason === 'completed' ? { reason, work: workOf(evidenceId) } : { reason }),
});
const recorded = (evidenceId: string, reason: EvidenceReason): ProviderEvent => ({
  type: 'provider.evidence-recorded',
  evidenceId,
  reason,
  ...(reason === 'completed' ? { work: workOf(evidenceId) } : {}),
  ...EVIDENCE_WEIGHTS[reason],
  at: AT,
});
const completions = (count: number): ProviderEvent[] =>
  Array.from({ length: count }, (_, index) => recorded(`proof-${index}`, 'completed'));

describe('a provider', () => {
  test('registers once', () => {
    given().when(register, now).then(registered);
    given(registered)
      .when(register, now)
      .thenRejects('CONFLICT', /registered already/);
  });

  test.each<ProviderCommand>([
    { type: 'attest', ...host },
    { type: 'lock-stake', amount: toMicro('1') },
    { type: 'see', presence: 'provider.up', missedHeartbeats: 0 },
    record('proof-1', 'completed'),
  ])('has to be registered before anything else: $type', (command) => {
    given().when(command, now).thenRejects('RESOURCE_NOT_FOUND');
  });

  test('attests its host', () => {
    given(registered)
      .when({ type: 'attest', ...host }, now)
      .then({ type: 'provider.attested', ...host, attestedAt: AT });
  });

  test('needs no second report where another came first', () => {
    const attested: ProviderEvent = { type: 'provider.attested', ...host, attestedAt: AT };
    const attest = (renews: string | null): ProviderCommand => ({
      type: 'attest',
      ...host,
      nonce: 'dd',
      renews,
    });
    given(registered)
      .when(attest(null), now)
      .then({ ...attested, nonce: 'dd' });
    given(registered, attested).when(attest(null), now).thenNothing();
    given(registered, attested)
      .when(attest('cc'), now)
      .then({ ...attested, nonce: 'dd' });
  });

  test('locks its first stake once', () => {
    const first: ProviderCommand = { type: 'lock-stake', amount: toMicro('5'), first: true };
    const locked: ProviderEvent = { type: 'provider.stake-locked', amount: toMicro('5'), at: AT };
    given(registered).when(first, now).then(locked);
    given(registered, locked).when(first, now).thenNothing();
  });

  test('stakes more than nothing', () => {
    const stake = (amount: string) =>
      given(registered).when({ type: 'lock-stake', amount: toMicro(amount) }, now);
    stake('1').then({ type: 'provider.stake-locked', amount: toMicro('1'), at: AT });
    for (const amount of ['0', '-1'])
      stake(amount).thenRejects('INVALID_REQUEST', /stake/, [{ field: 'amount', rule: '> 0 micro-units' }]);
  });

  test('adds up its stake', () => {
    const locked: ProviderEvent = { type: 'provider.stake-locked', amount: toMicro('5'), at: AT };
    expect(given(registered, locked, locked).state?.stake).toBe('10');
  });

  test('is told only when its presence changes', () => {
    const up: ProviderEvent = { type: 'provider.up', at: AT, missedHeartbeats: 0 };
    const see = (presence: typeof up.type | 'provider.lost', missedHeartbeats: number): ProviderCommand => ({
      type: 'see',
      presence,
      missedHeartbeats,
    });
    given(registered).when(see('provider.up', 0), now).then(up);
    given(registered, up).when(see('provider.up', 0), now).thenNothing();
    given(registered, up)
      .when(see('provider.lost', 3), now)
      .then({ type: 'provider.lost', at: AT, missedHeartbeats: 3 });
  });
});

describe('evidence', () => {
  test('counts once', () => {
    given(registered).when(record('proof-1', 'completed'), now).then(recorded('proof-1', 'completed'));
    given(registered, recorded('proof-1', 'completed'))
      .when(record('proof-1', 'completed'), now)
      .thenNothing();
  });

  test.each(EVIDENCE_REASONS)('weighs what %s weighs', (reason) => {
    const { evidence } = given(registered).when(record('event-1', reason), now).thenState() ?? {};
    expect(evidence).toMatchObject(EVIDENCE_WEIGHTS[reason]);
  });

  test('R90: eight items clear the flag of uncertainty, seven do not', () => {
    given(registered, ...completions(6))
      .when(record('proof-7', 'completed'), now)
      .then(recorded('proof-7', 'completed'));
    given(registered, ...completions(7))
      .when(record('proof-8', 'completed'), now)
      .then(recorded('proof-8', 'completed'), {
        type: 'provider.trust-certain',
        mean: 0.9,
        uncertainty: 0.2,
      });
  });

  test('R90: a mean below one half is its own flag, and is cleared by evidence', () => {
    const low: ProviderEvent = { type: 'provider.trust-low', mean: 1 / 3, uncertainty: 2 / 3 };
    given(registered).when(record('event-1', 'lost'), now).then(recorded('event-1', 'lost'), low);
    given(registered, recorded('event-1', 'lost'), low)
      .when(record('proof-1', 'completed'), now)
      .then(recorded('proof-1', 'completed'), {
        type: 'provider.trust-recovered',
        mean: 0.5,
        uncertainty: 0.5,
      });
  });
});

test('a stream that does not begin with the registration is broken', () => {
  expect(() => given(recorded('proof-1', 'completed'))).toThrow(/not registered/);
});
