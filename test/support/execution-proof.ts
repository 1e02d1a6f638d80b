import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { EnclaveConfig } from '../../domain/enclave/events.ts';
import { measurementOf, moduleSha384, reportData } from '../../domain/enclave/measurement.ts';
import { proofIdOf, signedBytesOf } from '../../domain/proof/proof-id.ts';
import type {
  ExecutionProof,
  ExecutionRecord,
  MeteredRecord,
  UnmeteredRecord,
} from '../../domain/proof/record.ts';
import { evidenceOf } from '../../infra/tee/index.ts';
import { toBase64Url } from '../../infra/verify/bytes.ts';
import { assembleTestModule } from '../workloads/assemble.ts';
import { simulatedMachine } from '../workloads/simulated-machine.ts';

export const NOW = '2026-03-01T12:00:00.000Z';
export const NONCE = 'ab'.repeat(32);
export const CONFIG: EnclaveConfig = { memoryMb: 64, cpuCores: 1, allowDebug: false };
export const MODULE = await assembleTestModule('exit-3');
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const machine = simulatedMachine(NOW);
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
export const enclaveKey = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString(
  'hex',
);
const quote = await machine.platform.quote({
  measurement: measurementOf(moduleSha384(MODULE), CONFIG),
  reportData: reportData(NONCE, enclaveKey),
});
const evidence = evidenceOf(machine.platform, quote);

const facts = {
  proofType: 'proof_of_execution',
  jobId: 'job-1',
  enclaveId: 'enclave-1',
  providerId: 'provider-1',
  moduleHash: sha256(MODULE),
  args: ['a'],
  inputHash: '00'.repeat(32),
  outcome: 'exited',
  exitCode: 0,
  outputHash: '11'.repeat(32),
  outputBytes: 3,
  stderrTail: '',
  resources: { cpuMs: 1.5, wallMs: 2, peakMemoryBytes: 65_536 },
  startedAt: '2026-03-01T11:59:00.000Z',
  finishedAt: '2026-03-01T11:59:01.000Z',
  reportHash: sha256(quote.report),
} as const;

/** Of no module. */
export const METERING = { version: 1, moduleHash: '22'.repeat(32) };

const baseRecord: MeteredRecord = {
  ...facts,
  version: 2,
  trap: null,
  fuel: { used: 1000, limit: 5000 },
  metering: METERING,
};

/** A proof as an enclave with this key would sign it. */
export const proofOf = (change: Partial<MeteredRecord> = {}): ExecutionProof =>
  signedProof({ ...baseRecord, ...change });

/** A proof as enclaves signed it before metering. */
export const unmeteredProofOf = (change: Partial<UnmeteredRecord> = {}): ExecutionProof =>
  signedProof({ ...facts, version: 1, ...change });

const signedProof = (record: ExecutionRecord): ExecutionProof => {
  return {
    proofId: proofIdOf(record),
    record,
    enclaveKey,
    signature: toBase64Url(sign(null, signedBytesOf(record), privateKey)),
    attestation: {
      report: evidence.report,
      nonce: NONCE,
      moduleSha384: moduleSha384(MODULE),
      config: CONFIG,
      certificates: evidence.certificates,
    },
  };
};
