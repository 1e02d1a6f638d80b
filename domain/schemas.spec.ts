import { describe, expect, test } from 'vitest';
import {
  AVAILABILITY_TERMS,
  availabilityProofOf,
  SLA_TERMS,
  slaProofOf,
} from '../infra/verify/observed.fixture.ts';
import { toMicro } from './money.ts';
import type { AvailabilityRecorded, ProofRecorded, SlaComplianceRecorded } from './proof/events.ts';
import { proofIdOf } from './proof/proof-id.ts';
import type { ExecutionRecord } from './proof/record.ts';
import { eventSchemaOf } from './schemas.ts';
import type { SlaCreditGranted } from './sla/events.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HEX = 'a'.repeat(64);

const conforms = (event: { readonly type: string }): boolean =>
  eventSchemaOf(event.type)?.safeParse(event).success ?? false;

const record: ExecutionRecord = {
  proofType: 'proof_of_execution',
  version: 1,
  jobId: null,
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  moduleHash: HEX,
  args: ['--all'],
  inputHash: HEX,
  outcome: 'trapped',
  exitCode: null,
  outputHash: HEX,
  outputBytes: 0,
  stderrTail: '',
  resources: { cpuMs: 1.5, wallMs: 2, peakMemoryBytes: 65_536 },
  startedAt: AT,
  finishedAt: AT,
  reportHash: HEX,
};

const proofRecorded: ProofRecorded = {
  type: 'proof.recorded',
  machineVersion: 1,
  proof: {
    proofId: proofIdOf(record),
    record,
    enclaveKey: HEX,
    signature: 'c2ln',
    attestation: {
      report: 'cmVwb3J0',
      nonce: HEX,
      moduleSha384: 'b'.repeat(96),
      config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
      certificates: ['Y2VydA'],
    },
  },
  label: 'simulated',
  valid: true,
  steps: [{ step: 'signature', ok: true, code: 'OK' }],
  recordedAt: AT,
};

const observed = {
  machineVersion: 1,
  proofId: proofIdOf(record),
  evidence: HEX,
  steps: proofRecorded.steps,
  recordedAt: AT,
};
const slaRecorded: SlaComplianceRecorded = {
  type: 'proof.sla-compliance-recorded',
  ...observed,
  record: slaProofOf([], SLA_TERMS).record,
};
const availabilityRecorded: AvailabilityRecorded = {
  type: 'proof.availability-recorded',
  ...observed,
  record: availabilityProofOf([], { terms: AVAILABILITY_TERMS }).record,
};

const lapsed = { type: 'auction.lapsed', lapsedAt: AT };
const allocated = { type: 'auction.allocated', jobId: 'job-1' };
const locked = { type: 'provider.stake-locked', amount: '5', at: AT };
const posted = {
  type: 'ledger.entry-posted',
  machineVersion: 1,
  entryId: 'credit-1/credit',
  kind: 'credit',
  cause: 'credit-1',
  postings: [{ account: 'external', amount: '-5' }],
};
const granted: SlaCreditGranted = {
  type: 'sla.credit-granted',
  machineVersion: 1,
  jobId: 'job-1',
  providerId: 'provider-1',
  owner: 'subject-1',
  submitter: 'subject-2',
  proofId: proofIdOf(record),
  creditPercent: 25,
  fee: toMicro('1000'),
  earned: toMicro('1000'),
  due: toMicro('250'),
  paid: toMicro('200'),
  outstanding: toMicro('50'),
  grantedAt: AT,
};
const enrolled = {
  type: 'subject.enrolled',
  machineVersion: 1,
  subjectId: 'subject-1',
  roles: ['submitter'],
  credential: 'api-key',
  fingerprint: 'aa',
  enrolledAt: AT,
};

const events: readonly { readonly type: string }[] = [
  proofRecorded,
  slaRecorded,
  availabilityRecorded,
  lapsed,
  allocated,
  locked,
  posted,
  granted,
  enrolled,
];

describe('schemas of stored events', () => {
  test.each(events)('take $type', (event) => {
    expect(conforms(event)).toBe(true);
  });

  test.each(events)('are strict: $type with one member more is refused', (event) => {
    expect(conforms(Object.assign({ more: 1 }, event))).toBe(false);
  });

  test('are strict inside a proof too', () => {
    const { proof } = proofRecorded;
    const inside = (change: object) =>
      conforms({ ...proofRecorded, proof: { ...proof, ...change } } as ProofRecorded);
    expect(inside({ record: { ...record, more: 1 } })).toBe(false);
    expect(inside({ record: { ...record, resources: { ...record.resources, more: 1 } } })).toBe(false);
    expect(inside({ attestation: { ...proof.attestation, more: 1 } })).toBe(false);
  });

  test('hold no chunk of an artefact: the proof itself is one', () => {
    expect(conforms(Object.assign({ rounds: [] }, availabilityRecorded))).toBe(false);
    const inside = { ...slaRecorded, record: { ...slaRecorded.record, reports: [] } };
    expect(conforms(inside)).toBe(false);
  });

  test.each([
    ['an event of the aggregate that does not exist', { type: 'auction.reopened' }],
    ['an event of no aggregate', { type: 'weather.changed' }],
    ['a broken instant', { ...lapsed, lapsedAt: 'yesterday' }],
    ['a broken id', { ...allocated, jobId: 'job 1' }],
    ['a credit of more than the fee', { ...granted, creditPercent: 101 }],
    ['a negative stake', { ...locked, amount: '-5' }],
    ['an amount that is a number', { ...locked, amount: 5 }],
    ['an amount with a fraction', { ...locked, amount: '5.0' }],
    ['an unknown role', { ...enrolled, roles: ['king'] }],
  ])('refuse %s', (_, event) => {
    expect(conforms(event)).toBe(false);
  });

  test('know no aggregate by the name of a built-in member', () => {
    expect(eventSchemaOf('constructor.called')).toBeNull();
    expect(eventSchemaOf('nothing')).toBeNull();
  });
});
