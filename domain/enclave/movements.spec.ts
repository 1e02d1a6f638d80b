import { describe, expect, test } from 'vitest';
import { type AnyMachineSnapshot, type AnyStateMachine, getInitialSnapshot } from 'xstate';
import { applyEvent } from '../lifecycle.ts';
import { toMicro } from '../money.ts';
import { addSeconds } from '../time.ts';
import type { Enclave } from './enclave.ts';
import type { EnclaveEvent } from './events.ts';
import { enclaveMachine, enclaveMachineV3 } from './machine.ts';
import { movements } from './movements.ts';
import { chargeFor, rentOf } from './rent.ts';

const AT = '2026-01-01T00:00:00.000Z';
const rent = { hourly: toMicro('500000'), held: toMicro('500000') };

const requested = (rented = true): EnclaveEvent => ({
  type: 'enclave.requested',
  machineVersion: 3,
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  owner: 'owner-1',
  submitter: 'subject-1',
  jobId: null,
  platform: 'amd_sev_snp',
  codeHash: 'aa',
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
  allowSimulated: true,
  ...(rented && { rent }),
  requestedAt: AT,
  expiresAt: addSeconds(AT, 3600),
});
const created: EnclaveEvent = { type: 'enclave.created', enclaveKey: 'bb' };
const attestedAt = (seconds: number) => ({
  reportHash: 'cc',
  measurement: 'dd',
  nonce: 'ee',
  label: 'simulated' as const,
  steps: [],
  attestedAt: addSeconds(AT, seconds),
  expiresAt: addSeconds(AT, 3600),
});
const attested: EnclaveEvent = { type: 'enclave.attested', ...attestedAt(10) };
const renewed: EnclaveEvent[] = [
  { type: 'enclave.renewal-started', startedAt: addSeconds(AT, 700) },
  { type: 'enclave.attestation-renewed', ...attestedAt(720) },
];
const failed = (endedAt?: string): EnclaveEvent => ({
  type: 'enclave.failed',
  fault: endedAt === undefined ? 'lost' : 'stopped',
  code: 'CONFLICT',
  message: '',
  steps: [],
  ...(endedAt !== undefined && { endedAt }),
});
const destroyed: EnclaveEvent = { type: 'enclave.destroyed', reason: '', confirmed: true };

/** `kind from > to: amount` of every entry that moves something because of the last event. */
const moved = (...events: readonly EnclaveEvent[]): string[] => movedIn(enclaveMachine, events);

const movedIn = (machine: AnyStateMachine, events: readonly EnclaveEvent[]): string[] => {
  const state = events
    .slice(0, -1)
    .reduce<AnyMachineSnapshot>(
      (snapshot, event) => applyEvent(machine, snapshot, event)[0],
      getInitialSnapshot(machine),
    );
  return movements(state.context as Enclave, events.at(-1) as EnclaveEvent, 'enclave-1@9')
    .filter(({ postings }) => postings.some(({ amount }) => amount !== '0'))
    .map(({ kind, postings: [from, to] }) => `${kind} ${from?.account} > ${to?.account}: ${to?.amount}`);
};

describe('settled 41: the rent of an enclave without a job', () => {
  test('is held with the request', () => {
    expect(moved(requested())).toEqual(['hold available:subject-1 > rent:enclave-1: 500000']);
    expect(moved(requested(false))).toEqual([]);
  });

  test('pays the node for the time from its first attestation to its end, and returns the rest', () => {
    const ended = failed(addSeconds(AT, 10 + 1800));
    expect(moved(requested(), created, attested, ...renewed, ended, destroyed)).toEqual([
      'payment rent:enclave-1 > available:owner-1: 250000',
      'release rent:enclave-1 > available:subject-1: 250000',
    ]);
  });

  test('pays a minute for one that its creator ended before it stood: its place was kept; nothing in version 3', () => {
    const story = [requested(), created, failed(addSeconds(AT, 5)), destroyed];
    expect(moved(...story)).toEqual([
      'payment rent:enclave-1 > available:owner-1: 8334',
      'release rent:enclave-1 > available:subject-1: 491666',
    ]);
    expect(movedIn(enclaveMachineV3, story)).toEqual([
      'release rent:enclave-1 > available:subject-1: 500000',
    ]);
  });

  test('pays nothing for one that its node failed of', () => {
    const all = ['release rent:enclave-1 > available:subject-1: 500000'];
    expect(moved(requested(), created, attested, failed(), destroyed)).toEqual(all);
    expect(moved(requested(), created, failed(), destroyed)).toEqual(all);
    expect(moved(requested(false), created, attested, failed(AT), destroyed)).toEqual([]);
  });

  test('is a minute at least and what is held at most, rounded up', () => {
    expect(chargeFor(rent, AT, addSeconds(AT, 1))).toBe('8334');
    expect(chargeFor(rent, AT, addSeconds(AT, 61))).toBe('8473');
    expect(chargeFor(rent, AT, addSeconds(AT, 3601))).toBe('500000');
    expect(chargeFor(rent, addSeconds(AT, 9), AT)).toBe('8334');
  });

  test('is the price of an hour of each core', () => {
    expect(rentOf({ cpuCores: 2 }, 3600)).toEqual({ hourly: '1000000', held: '1000000' });
    expect(rentOf({ cpuCores: 1 }, 5400)).toEqual({ hourly: '500000', held: '750000' });
  });
});
