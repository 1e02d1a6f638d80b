import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idOfRecord, rootOfJson } from '../../domain/proof/commit.ts';
import type { SampleRun, SlaProof, SlaTerms } from '../../domain/proof/sla-record.ts';
import { type SlaProofContext, verifySlaProof } from './index.ts';
import { NODE, OBSERVERS, SLA_TERMS, slaProofOf } from './observed.fixture.ts';

const NOW = '2026-02-01T00:00:00.000Z';
const up = (count: number): SampleRun => ({ state: 'up', count });
const down = (count: number): SampleRun => ({ state: 'down', count });
const seen = [[up(1000)], [up(990), down(10)], [up(995), { state: 'unobserved', count: 5 } as const]];

const failures = (proof: unknown, context: Partial<SlaProofContext> = {}): string[] => {
  const { valid, judgement, reasons } = verifySlaProof(proof, { now: NOW, ...context });
  const failed = reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);
  expect(valid).toBe(failed.length === 0);
  expect(judgement === null).toBe(!valid);
  return failed;
};
/** The same samples under other terms, signed anew. */
const under = (change: Partial<SlaTerms>): SlaProof => slaProofOf(seen, { ...SLA_TERMS, ...change });
/** What somebody without the observers' keys can do to make everything else fit. */
const refit = (proof: SlaProof): SlaProof => {
  const record = { ...proof.record, merkleRoot: rootOfJson(proof.reports) };
  return { ...proof, record, proofId: idOfRecord(record) };
};

describe('verifySlaProof', () => {
  it('R43: accepts what the observers signed and computes the verdict from the leaves', () => {
    const proof = slaProofOf(seen);
    expect(failures(JSON.parse(JSON.stringify(proof)))).toEqual([]);
    expect(verifySlaProof(proof, { now: NOW }).judgement).toMatchObject({
      verdict: 'met',
      samples: 995,
      missed: 0,
      unobserved: 5,
    });
    const breached = slaProofOf([[up(800), down(200)], [up(800), down(200)], [up(1000)]]);
    expect(verifySlaProof(breached, { now: NOW })).toMatchObject({
      valid: true,
      judgement: { verdict: 'breach-proven', missed: 200, creditPercent: 25, alert: 'page' },
    });
  });

  it('refuses another verdict than the samples give', () => {
    const proof = slaProofOf([[down(1000)], [down(1000)], [down(1000)]]);
    const judgement = slaProofOf(seen).record.judgement;
    const record = { ...proof.record, judgement };
    expect(failures({ ...proof, record, proofId: idOfRecord(record) })).toEqual([
      'judgement JUDGEMENT_MISMATCH',
    ]);
    expect(failures({ ...proof, record })).toContain('id ID_MISMATCH');
  });

  it('refuses changed, exchanged, missing and foreign samples, though the rest is made to fit', () => {
    const proof = slaProofOf([[down(1000)], [down(1000)], [up(1000)]]);
    const [first, second, third] = proof.reports as [
      SlaProof['reports'][number],
      SlaProof['reports'][number],
      SlaProof['reports'][number],
    ];
    const with3 = (...reports: SlaProof['reports'][number][]) => failures(refit({ ...proof, reports }));
    expect(with3({ ...first, runs: [up(1000)] }, second, third)).toContain('signatures BAD_SIGNATURE');
    expect(with3({ ...third, observer: first.observer }, second, third)).toContain(
      'signatures BAD_SIGNATURE',
    );
    expect(with3(first, third)).toContain('window WINDOW_INCOMPLETE');
    expect(with3(second, first, third)).toContain('window WINDOW_INCOMPLETE');
    expect(with3(first, second, third, third)).toContain('window WINDOW_INCOMPLETE');
    expect(with3(first, second, { ...third, observer: NODE.key })).toContain('signatures UNKNOWN_OBSERVER');
    expect(failures({ ...proof, reports: [second, first, third] })).toContain('tree ROOT_MISMATCH');
  });

  it('refuses every change of the terms, which all signatures cover', () => {
    const proof = slaProofOf(seen);
    const changes: Partial<SlaTerms>[] = [
      { providerId: 'provider-other' },
      { jobId: 'job-1' },
      { availability: 0.98 },
      { periodSeconds: 4 },
      { from: '2026-01-01T00:00:01.000Z' },
      { quorum: 3 },
      { creditOn: 'breach-proven' },
    ];
    for (const change of changes) {
      const record = { ...proof.record, terms: { ...proof.record.terms, ...change } };
      expect(failures({ ...proof, record, proofId: idOfRecord(record) })).toContain(
        'signatures BAD_SIGNATURE',
      );
    }
  });

  it('refuses terms under which samples prove nothing', () => {
    const [a, b, c] = SLA_TERMS.observers as [
      SlaTerms['observers'][number],
      SlaTerms['observers'][number],
      SlaTerms['observers'][number],
    ];
    expect(failures(under({ quorum: 1 }))).toEqual(['terms NO_QUORUM']);
    expect(failures(under({ providerKey: b.key }))).toEqual(['terms SELF_OBSERVED']);
    expect(failures(under({ providerId: c.id }))).toEqual(['terms SELF_OBSERVED']);
    expect(failures(under({ observers: [a, { ...b, id: a.id }, c] }))).toEqual([
      'terms OBSERVERS_NOT_DISTINCT',
    ]);
    expect(failures(under({ availability: 0.9999, periodSeconds: 10 }))).toEqual(['terms PERIOD_TOO_LONG']);
    const alone = slaProofOf(
      [[up(1000)]],
      { ...SLA_TERMS, observers: [a], quorum: 1 },
      OBSERVERS.slice(0, 1),
    );
    expect(failures(alone)).toEqual(['terms TOO_FEW_OBSERVERS']);
    expect(failures(alone, { policy: { minimumObservers: 1 } })).toEqual([]);
    expect(failures(slaProofOf(seen), { now: '2026-01-01T01:00:00Z' })).toEqual(['time FROM_THE_FUTURE']);
  });

  it('holds a proof to the terms that the verifier expects', () => {
    const proof = slaProofOf(seen);
    const { observers, availability } = SLA_TERMS;
    expect(failures(proof, { expected: { observers, availability, jobId: null } })).toEqual([]);
    expect(failures(proof, { expected: { observers: observers.slice(1), availability: 0.999 } })).toEqual([
      'expected.observers EXPECTATION_MISMATCH',
      'expected.availability EXPECTATION_MISMATCH',
    ]);
  });

  it('never throws on foreign JSON and accepts none', () => {
    const { proofId, record, reports } = slaProofOf(seen);
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('proofId', 'record', 'reports'), (value, name) => {
        expect(failures(value)).toContain('format MALFORMED');
        expect(failures({ proofId, record, reports, [name]: value })).not.toEqual([]);
        expect(failures({ proofId, reports, record: { ...record, terms: value } })).not.toEqual([]);
      }),
    );
  });

  it('verifies a month of platinum in less than 500 ms', () => {
    const slots = (30 * 86_400) / 5;
    const month = { ...SLA_TERMS, availability: 0.9999, slots };
    const runs = Array.from({ length: 20 }, () => [up(slots / 20 - 2), down(2)]).flat();
    const proof = slaProofOf([runs, runs, runs], month);
    const before = performance.now();
    expect(failures(proof)).toEqual([]);
    expect(performance.now() - before).toBeLessThan(500);
    expect(proof.record.judgement).toMatchObject({ verdict: 'met', missed: 40 });
  });
});
