import type { ExecutionProof } from '../../domain/proof/record.ts';
import { amount, base64Url, closed, exactly, hex, instant, listOf, orNull, text, whole } from './shape.ts';

const executionRecord = closed({
  proofType: exactly('proof_of_execution'),
  version: exactly(1),
  jobId: orNull(text),
  enclaveId: text,
  providerId: text,
  moduleHash: hex(32),
  args: listOf((value) => typeof value === 'string' && value.length <= 65_536, 1024),
  inputHash: hex(32),
  outcome: exactly('exited', 'time_limit', 'memory_limit', 'trapped'),
  exitCode: orNull(whole),
  outputHash: hex(32),
  outputBytes: whole,
  stderrTail: (value) => typeof value === 'string' && value.length <= 2048,
  resources: closed({ cpuMs: amount, wallMs: amount, peakMemoryBytes: whole }),
  startedAt: instant,
  finishedAt: instant,
  reportHash: hex(32),
});

const executionProof = closed({
  proofId: text,
  record: executionRecord,
  enclaveKey: hex(32),
  signature: base64Url,
  attestation: closed(
    {
      report: base64Url,
      nonce: hex(32),
      moduleSha384: hex(48),
      config: closed({ memoryMb: whole, cpuCores: whole, allowDebug: exactly(false) }),
      certificates: (value) => Array.isArray(value) && value.length === 3 && value.every(base64Url),
    },
    { binding: exactly('host') },
  ),
});

/** Whether foreign JSON has the shape of an execution proof, bounds and closed member sets included. */
export const isExecutionProof = (value: unknown): value is ExecutionProof => executionProof(value);
