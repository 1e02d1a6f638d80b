import type { ExecutionProof } from '../../domain/proof/record.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value.length <= 4096;
const hex = (bytes: number): Check => {
  const form = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return (value) => typeof value === 'string' && form.test(value);
};
const base64Url = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{1,65536}$/.test(value);
const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const instant: Check = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
const exactly =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check, limit: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= limit && value.every(check);

/** An object with these members and no others: an unknown member is something nobody would check. */
const closed =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const record = value as Record<string, unknown>;
    return (
      Object.keys(record).length === Object.keys(members).length &&
      Object.entries(members).every(([name, check]) => Object.hasOwn(record, name) && check(record[name]))
    );
  };

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
  attestation: closed({
    report: base64Url,
    nonce: hex(32),
    moduleSha384: hex(48),
    config: closed({ memoryMb: whole, cpuCores: whole, allowDebug: exactly(false) }),
    certificates: (value) => Array.isArray(value) && value.length === 3 && value.every(base64Url),
  }),
});

/** Whether foreign JSON has the shape of an execution proof, bounds and closed member sets included. */
export const isExecutionProof = (value: unknown): value is ExecutionProof => executionProof(value);
