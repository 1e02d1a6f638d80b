import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AvailabilityProof,
  AvailabilityRound,
  AvailabilityTerms,
} from '../../domain/proof/availability-record.ts';
import { chunkTree } from '../../domain/proof/chunks.ts';
import { idOfRecord, rootOfJson } from '../../domain/proof/commit.ts';
import { type AvailabilityProofContext, verifyAvailabilityProof } from './index.ts';
import {
  ARTIFACT,
  AVAILABILITY_TERMS,
  availabilityProofOf,
  headOf,
  OBSERVERS,
  type Seen,
  signingNode,
} from './observed.fixture.ts';

const NOW = '2026-02-01T00:00:00.000Z';
const ALL: Seen[] = [1, 1, 1];
const HONEST = [ALL, ALL, ALL, ALL];

const failures = (proof: unknown, context: Partial<AvailabilityProofContext> = {}): string[] => {
  const { valid, judgement, reasons } = verifyAvailabilityProof(proof, { now: NOW, ...context });
  const failed = reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);
  expect(valid).toBe(failed.length === 0);
  expect(judgement === null).toBe(!valid);
  return failed;
};
const under = (change: Partial<AvailabilityTerms>): AvailabilityProof =>
  availabilityProofOf(HONEST, { terms: { ...AVAILABILITY_TERMS, ...change } });
/** The first round changed, and everything made to fit that takes no key. */
const withRound = (change: (round: AvailabilityRound) => Partial<AvailabilityRound>): string[] => {
  const proof = availabilityProofOf(HONEST);
  const [first, ...others] = proof.rounds as [AvailabilityRound, ...AvailabilityRound[]];
  const rounds = [{ ...first, ...change(first) }, ...others];
  const record = { ...proof.record, merkleRoot: rootOfJson(rounds) };
  return failures({ proofId: idOfRecord(record), record, rounds });
};

describe('verifyAvailabilityProof', () => {
  it('R47: accepts signed answers in time to unpredictable challenges, judged over a window', () => {
    const proof = availabilityProofOf(HONEST);
    expect(failures(JSON.parse(JSON.stringify(proof)))).toEqual([]);
    expect(failures(proof, { heads: [0, 1, 2, 3].map(headOf) })).toEqual([]);
    const mixed = availabilityProofOf([
      ALL,
      [1, 9, 'silent'],
      ['unobserved', 1, 'silent'],
      ['silent', 'silent', 'silent'],
    ]);
    expect(verifyAvailabilityProof(mixed, { now: NOW })).toMatchObject({
      valid: true,
      judgement: { verdict: 'unavailable', passed: 1, failed: 2, unobserved: 1 },
    });
  });

  it('refuses answers from a node that lost what it was to keep', () => {
    const lost = ARTIFACT.map((byte, index) => (index < 9000 ? 0 : byte));
    expect(failures(availabilityProofOf(HONEST, { bytes: lost }))).toEqual(['answers CHUNK_MISMATCH']);
  });

  it('refuses other chunks, altered chunks and paths, and answers that the node did not sign', () => {
    const withAnswer = (
      change: (openings: readonly { index: number; chunk: string; path: readonly string[] }[]) => object[],
    ) =>
      withRound(({ answer }) => ({
        answer: answer && ({ ...answer, openings: change(answer.openings) } as typeof answer),
      }));
    expect(withAnswer((openings) => openings.slice(1))).toContain('answers OTHER_CHUNKS');
    expect(withAnswer((openings) => openings.toReversed())).toContain('answers OTHER_CHUNKS');
    expect(withAnswer((openings) => openings.map((each) => ({ ...each, chunk: 'AAAA' })))).toContain(
      'answers CHUNK_MISMATCH',
    );
    expect(
      withAnswer((openings) => openings.map((each) => ({ ...each, path: each.path.slice(1) }))),
    ).toContain('answers CHUNK_MISMATCH');
    const forged = signingNode(9).sign(new Uint8Array(3));
    expect(withRound(({ answer }) => ({ answer: answer && { ...answer, signature: forged } }))).toContain(
      'answers BAD_SIGNATURE',
    );
  });

  it('refuses beacons that were used before, that no head is, or that were not in the challenge', () => {
    const reused = availabilityProofOf(HONEST, { heads: [0, 1, 1, 3].map(headOf) });
    expect(failures(reused)).toEqual(['rounds BEACON_REUSED']);
    const proof = availabilityProofOf(HONEST);
    expect(failures(proof, { heads: [0, 1, 2].map(headOf) })).toEqual(['heads UNKNOWN_HEAD']);
    expect(withRound(() => ({ beacon: { size: '100', root: 'ff'.repeat(32) } }))).toEqual([
      'answers OTHER_CHUNKS',
      'receipts BAD_SIGNATURE',
    ]);
  });

  it('refuses rounds and receipts left out, changed, or at odds with themselves', () => {
    expect(failures(availabilityProofOf(HONEST.slice(1)))).toContain('rounds ROUNDS_INCOMPLETE');
    const receipts = (change: (each: AvailabilityRound['receipts']) => readonly object[]) =>
      withRound((round) => ({ receipts: change(round.receipts) as AvailabilityRound['receipts'] }));
    expect(receipts((each) => each.slice(1))).toContain('receipts RECEIPTS_INCOMPLETE');
    expect(receipts((each) => each.toReversed())).toContain('receipts RECEIPTS_INCOMPLETE');
    const changeAll = (change: object) => receipts((each) => each.map((one) => ({ ...one, ...change })));
    expect(changeAll({ answeredAt: '2026-01-01T00:00:01.500Z' })).toContain('receipts BAD_SIGNATURE');
    expect(changeAll({ answeredAt: '2026-01-01T00:00:00.500Z' })).toContain('receipts RECEIPT_INCONSISTENT');
    expect(changeAll({ askedAt: '2026-01-01T00:01:00.000Z' })).toContain('receipts RECEIPT_INCONSISTENT');
    expect(changeAll({ outcome: 'silent' })).toContain('receipts RECEIPT_INCONSISTENT');
    expect(changeAll({ outcome: 'unobserved' })).toContain('receipts RECEIPT_INCONSISTENT');
    expect(withRound(() => ({ answer: null }))).toContain('receipts RECEIPT_INCONSISTENT');
  });

  it('refuses another verdict, an unfinished window, and terms that prove nothing', () => {
    const proof = availabilityProofOf([
      ALL,
      ALL,
      ['silent', 'silent', 'silent'],
      ['silent', 'silent', 'silent'],
    ]);
    const record = { ...proof.record, judgement: availabilityProofOf(HONEST).record.judgement };
    expect(failures({ ...proof, record, proofId: idOfRecord(record) })).toEqual([
      'judgement JUDGEMENT_MISMATCH',
    ]);
    expect(failures({ ...proof, record })).toContain('id ID_MISMATCH');
    expect(failures({ ...proof, rounds: proof.rounds.toReversed() })).toContain('tree ROOT_MISMATCH');
    expect(failures(proof, { now: '2026-01-01T00:02:00Z' })).toEqual(['time FROM_THE_FUTURE']);
    expect(failures(under({ deadlineSeconds: 61 }))).toEqual(['terms DEADLINE_TOO_LONG']);
    expect(failures(under({ quorum: 1 }))).toEqual(['terms NO_QUORUM']);
    expect(failures(under({ providerId: 'provider-0' }))).toEqual(['terms SELF_OBSERVED']);
    const [observer] = AVAILABILITY_TERMS.observers;
    const alone = { ...AVAILABILITY_TERMS, observers: observer ? [observer] : [], quorum: 1 };
    const told = availabilityProofOf([[1], [1], [1], [1]], { terms: alone, signers: OBSERVERS.slice(0, 1) });
    expect(failures(told)).toEqual(['terms TOO_FEW_OBSERVERS']);
  });

  it('holds a proof to what the verifier expects', () => {
    const proof = availabilityProofOf(HONEST);
    const chunkRoot = bytesToHex(chunkTree(ARTIFACT, 64).root);
    expect(failures(proof, { expected: { chunkRoot, providerId: 'provider-node' } })).toEqual([]);
    const other = bytesToHex(chunkTree(ARTIFACT.subarray(1), 64).root);
    expect(failures(proof, { expected: { chunkRoot: other } })).toEqual([
      'expected.chunkRoot EXPECTATION_MISMATCH',
    ]);
  });

  it('finds a flip of any character of what was signed', () => {
    const text = JSON.stringify(availabilityProofOf(HONEST));
    const at = fc.integer({ min: 0, max: text.length - 1 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 127 }), (index, bits) => {
        const flipped = String.fromCharCode(text.charCodeAt(index) ^ bits);
        const altered = text.slice(0, index) + flipped + text.slice(index + 1);
        let proof: unknown;
        try {
          proof = JSON.parse(altered);
        } catch {
          return; // Not JSON any more.
        }
        expect(failures(proof)).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws on foreign JSON and accepts none', () => {
    const { proofId, record, rounds } = availabilityProofOf(HONEST);
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('proofId', 'record', 'rounds'), (value, name) => {
        expect(failures(value)).toContain('format MALFORMED');
        expect(failures({ proofId, record, rounds, [name]: value })).not.toEqual([]);
        expect(failures({ proofId, rounds, record: { ...record, terms: value } })).not.toEqual([]);
      }),
    );
  });
});
