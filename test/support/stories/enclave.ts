import type { EnclaveEvent } from '../../../domain/enclave/events.ts';
import { enclaveIdOf } from '../../../domain/job/job.ts';
import type { ExecutionRecord } from '../../../domain/proof/record.ts';
import { at, type Draw, hex, type Story, ulid } from './parts.ts';

const recordOf = (seed: number, enclaveId: string): ExecutionRecord => ({
  proofType: 'proof_of_execution',
  version: 1,
  jobId: `job-${ulid(seed)}`,
  enclaveId,
  providerId: `provider-${ulid(0)}`,
  moduleHash: hex(seed),
  args: ['a'],
  inputHash: hex(seed),
  outcome: 'exited',
  exitCode: 0,
  outputHash: hex(seed),
  outputBytes: 10,
  stderrTail: '',
  resources: { cpuMs: 12.5, wallMs: 20.25, peakMemoryBytes: 65_536 },
  startedAt: at(seed + 24),
  finishedAt: at(seed + 25),
  reportHash: hex(seed + 2),
});

export const enclaveStory = (seed: number, draw: Draw): Story => {
  const enclaveId = enclaveIdOf(`job-${ulid(seed)}`, `provider-${ulid(0)}`);
  const steps = [{ step: 'signature', ok: true, code: 'OK' }];
  const events: EnclaveEvent[] = [
    {
      type: 'enclave.requested',
      machineVersion: 1,
      enclaveId,
      providerId: `provider-${ulid(0)}`,
      owner: `subject-${ulid(0)}`,
      submitter: 'subject-submitter',
      jobId: `job-${ulid(seed)}`,
      platform: 'amd_sev_snp',
      codeHash: hex(seed),
      config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
      allowSimulated: true,
      requestedAt: at(seed + 22),
      expiresAt: at(seed + 500),
    },
  ];
  const happy: EnclaveEvent[] = [
    { type: 'enclave.created', enclaveKey: hex(seed + 1) },
    {
      type: 'enclave.attested',
      reportHash: hex(seed + 2),
      measurement: hex(seed + 3).padStart(96, '0'),
      nonce: hex(seed + 4),
      label: 'simulated',
      steps,
      attestedAt: at(seed + 23),
      expiresAt: at(seed + 600),
    },
    {
      type: 'enclave.run-started',
      work: {
        args: ['a'],
        inputHash: hex(seed),
        randomSeed: hex(seed),
        clockStart: at(seed),
        timeLimitSeconds: 60,
      },
      startedAt: at(seed + 24),
    },
    {
      type: 'enclave.run-finished',
      proof: { proofId: `proof-${ulid(seed * 100)}`, record: recordOf(seed, enclaveId) },
      missedHeartbeats: 0,
      finishedAt: at(seed + 25),
    },
  ];
  const done = draw(happy.length + 1);
  events.push(...happy.slice(0, done));
  if (done < happy.length) {
    events.push({
      type: 'enclave.failed',
      fault: 'lost',
      code: 'RESOURCE_UNAVAILABLE',
      message: 'silent',
      steps: [],
    });
  }
  events.push({ type: 'enclave.destroyed', reason: 'work done', confirmed: draw(2) === 0 });
  return { stream: enclaveId, events };
};
