import { describe, expect, test } from 'vitest';
import { toMicro } from '../money.ts';
import { decideProvider } from './decide.ts';
import { evolveProvider, type Provider, type ProviderState } from './fold.ts';
import { admits, fullOpinion, isUncertain } from './opinion.ts';

const AT = '2026-01-01T00:00:00.000Z';
const registered = evolveProvider(null, {
  type: 'provider.registered',
  machineVersion: 1,
  providerId: 'provider-1',
  owner: 'owner-1',
  infrastructureType: 'cloud_aws',
  asn: 1,
  region: 'here',
  tops: 1,
  publicKey: 'aa',
  registeredAt: AT,
});

interface Deed {
  readonly payer: string;
  readonly fee: number;
}

/** A provider after paid work, in order, as the log has it. */
const after = (deeds: readonly Deed[], from: Provider = registered): Provider => {
  let provider: Provider = from;
  for (const [index, { payer, fee }] of deeds.entries()) {
    const evidenceId = `proof-${from.evidenceIds.length}-${index}`;
    const work = { payer, fee: toMicro(BigInt(fee)) };
    const decision = decideProvider(
      provider,
      { type: 'record-evidence', evidenceId, reason: 'completed', work },
      { now: AT, actor: 'engine' },
    );
    if (!decision.ok) throw new Error(decision.message);
    provider = decision.events.reduce<ProviderState>(evolveProvider, provider) as Provider;
  }
  return provider;
};
const jobs = (count: number, payerOf: (index: number) => string, fee = 10_000): Deed[] =>
  Array.from({ length: count }, (_, index) => ({ payer: payerOf(index), fee }));
const isTrusted = ({ evidence }: Provider): boolean => !admits(evidence, AT).newcomer;

describe('row 8: trust is not farmed by a friend', () => {
  test.each([
    ['twelve jobs of one friend, however dear', jobs(12, () => 'friend')],
    ['twenty of them', jobs(20, () => 'friend')],
    ['twelve cheap jobs of twelve friends', jobs(12, (index) => `friend-${index}`, 100)],
    ['a dozen jobs of two friends', jobs(12, (index) => `friend-${index % 2}`)],
    ['a hundred cheap jobs of a friend', jobs(100, () => 'friend', 100)],
  ])('%s make nobody trusted', (_, deeds) => {
    const provider = after(deeds);
    expect(isTrusted(provider)).toBe(false);
    expect(isUncertain(fullOpinion(provider.evidence))).toBe(true);
    expect(provider.uncertain).toBe(true);
  });

  test('eight jobs of eight payers do, and four jobs each of four', () => {
    expect(isTrusted(after(jobs(8, (index) => `payer-${index}`)))).toBe(true);
    expect(isTrusted(after(jobs(7, (index) => `payer-${index}`)))).toBe(false);
    expect(isTrusted(after(jobs(16, (index) => `payer-${index % 4}`)))).toBe(true);
  });

  test('the first job of a payer counts whole, the second half, others a third, and one for nothing nothing', () => {
    const positive = (deeds: Deed[]) => after(deeds).evidence.positive;
    expect(positive(jobs(12, () => 'friend'))).toBeCloseTo(1 + 1 / 2 + 10 / 3, 5);
    expect(positive(jobs(1, () => 'friend', 250))).toBe(0.25);
    expect(positive(jobs(5, () => 'friend', 0))).toBe(0);
  });

  test('cheap jobs do not wash a fault away', () => {
    const command = { type: 'record-evidence', evidenceId: 'fault', reason: 'no-show' } as const;
    const decision = decideProvider(registered, command, { now: AT, actor: 'engine' });
    if (!decision.ok) throw new Error(decision.message);
    const faulty = decision.events.reduce<ProviderState>(evolveProvider, registered) as Provider;
    const washed = after(
      jobs(200, (index) => `friend-${index}`, 1),
      faulty,
    );
    expect(washed.evidence.remembered.negative).toBeGreaterThan(2 * 0.95 ** 0.3);
    expect(admits(washed.evidence, AT).score).toBeLessThan(0.3);
  });

  test('who does small jobs for two loyal customers and loses one run in thirty becomes trusted', () => {
    let provider = after(jobs(60, (index) => `payer-${index % 2}`, 200));
    for (let loss = 0; loss < 25; loss++) {
      const work = { payer: `payer-${loss % 2}`, fee: toMicro('200') };
      const command = { type: 'record-evidence', evidenceId: `loss-${loss}`, reason: 'lost', work } as const;
      const decision = decideProvider(provider, command, { now: AT, actor: 'engine' });
      if (!decision.ok) throw new Error(decision.message);
      provider = decision.events.reduce<ProviderState>(evolveProvider, provider) as Provider;
      provider = after(
        jobs(29, (index) => `payer-${index % 2}`, 200),
        provider,
      );
    }
    expect(isTrusted(provider)).toBe(true);
    expect(fullOpinion(provider.evidence).mean).toBeGreaterThan(0.9);
  });

  test('availability is not farmed either: a run weighs what it counts', () => {
    const { reliability } = after(jobs(12, () => 'friend'));
    expect(reliability.runs).toBeCloseTo(1 + 1 / 2 + 10 / 3, 5);
    expect(reliability.losses).toBe(0);
  });
});
