import { type ExecutionProof, RUN_OUTCOMES, TRAPS, UNMETERED_OUTCOMES } from '../../domain/proof/record.ts';
import { amount, base64Url, closed, exactly, hex, instant, listOf, orNull, text, whole } from './shape.ts';

const facts = {
  proofType: exactly('proof_of_execution'),
  jobId: orNull(text),
  enclaveId: text,
  providerId: text,
  moduleHash: hex(32),
  args: listOf((value) => typeof value === 'string' && value.length <= 65_536, 1024),
  inputHash: hex(32),
  exitCode: orNull(whole),
  outputHash: hex(32),
  outputBytes: whole,
  stderrTail: (value: unknown) => typeof value === 'string' && value.length <= 2048,
  resources: closed(
    { cpuMs: amount, wallMs: amount, peakMemoryBytes: whole },
    { probedFuelPerSecond: amount },
  ),
  startedAt: instant,
  finishedAt: instant,
  reportHash: hex(32),
};
const unmeteredRecord = closed({ ...facts, version: exactly(1), outcome: exactly(...UNMETERED_OUTCOMES) });
const meteredRecord = closed({
  ...facts,
  version: exactly(2),
  outcome: exactly(...RUN_OUTCOMES),
  trap: orNull(exactly(...TRAPS)),
  fuel: closed({ used: orNull(whole), limit: whole }),
  metering: closed({ version: whole, moduleHash: hex(32) }),
});

const executionProof = closed({
  proofId: text,
  record: (value) => unmeteredRecord(value) || meteredRecord(value),
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
