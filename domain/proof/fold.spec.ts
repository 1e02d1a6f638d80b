import { expect, test } from 'vitest';
import { slaProofOf } from '../../infra/verify/observed.fixture.ts';
import type { ProofRecorded } from './events.ts';
import { evolveProof, noProof } from './fold.ts';

test('a proof is what was recorded, with its verdict', () => {
  const proof = { proofId: 'proof-1' } as ProofRecorded['proof'];
  const event: ProofRecorded = {
    type: 'proof.recorded',
    machineVersion: 1,
    proof,
    label: 'simulated',
    valid: true,
    steps: [],
    recordedAt: '2026-01-01T00:00:00.000Z',
  };
  expect(noProof).toEqual({ proof: null, valid: false, label: null });
  expect(evolveProof(noProof, event)).toEqual({ proof, valid: true, label: 'simulated' });
});

test('one that rests on observers is its record, and where the whole proof is', () => {
  const { record, proofId } = slaProofOf([]);
  const type = 'proof.sla-compliance-recorded';
  const facts = {
    machineVersion: 1,
    proofId,
    evidence: 'aa',
    steps: [],
    recordedAt: '2026-01-01T00:00:00.000Z',
  };
  expect(evolveProof(noProof, { type, ...facts, record })).toEqual({ record, evidence: 'aa', valid: true });
});
