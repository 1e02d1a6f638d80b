import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { runFuelOf } from '../../domain/enclave/limits.ts';
import { probeFuel } from '../../domain/enclave/pace.ts';
import { signedBytesOf } from '../../domain/proof/proof-id.ts';
import type { MeteredRecord } from '../../domain/proof/record.ts';
import { epochMs } from '../../domain/time.ts';
import { refuseCodeFromStrings } from './code-from-strings.ts';
import { inspectModule, type ModuleInfo } from './inspect-module.ts';
import type { EnclaveMessage, HostMessage } from './protocol.ts';
import { type ModuleRun, runModule } from './run-module.ts';

/** Program of an enclave: makes its key, runs its one module, signs what happened. The key never leaves this process. */

type Load = Extract<HostMessage, { type: 'load' }>;
type Loaded = Load & Pick<ModuleInfo, 'metered' | 'report'>;
type Run = Extract<HostMessage, { type: 'run' }>;

refuseCodeFromStrings();

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const enclaveKey = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');

let loaded: Loaded | null = null;
let running: Promise<void> = Promise.resolve();

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const send = (message: EnclaveMessage): void => {
  if (process.connected) process.send?.(message);
};

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

const recordOf = (
  enclave: Loaded,
  { order, input, reportHash }: Run,
  run: ModuleRun,
  startedAt: Date,
): MeteredRecord => ({
  proofType: 'proof_of_execution',
  version: 2,
  jobId: order.jobId,
  enclaveId: enclave.enclaveId,
  providerId: order.providerId,
  moduleHash: sha256(enclave.code),
  args: order.work.args,
  inputHash: sha256(input),
  outcome: run.outcome,
  exitCode: run.exitCode,
  trap: run.trap,
  fuel: { used: run.fuelUsed, limit: runFuelOf(order.work) },
  metering: { version: enclave.report.version, moduleHash: sha256(enclave.metered) },
  outputHash: sha256(run.output),
  outputBytes: run.output.length,
  stderrTail: run.stderrTail,
  resources: {
    cpuMs: round(run.cpuMs),
    wallMs: round(run.wallMs),
    peakMemoryBytes: run.peakMemoryBytes,
    ...(run.probedFuelPerSecond !== undefined && {
      probedFuelPerSecond: Math.round(run.probedFuelPerSecond),
    }),
  },
  startedAt: startedAt.toISOString(),
  finishedAt: new Date().toISOString(),
  reportHash,
});

const run = async (enclave: Loaded, message: Run): Promise<void> => {
  const { work } = message.order;
  const startedAt = new Date();
  const finished = await runModule(
    {
      code: enclave.metered,
      input: message.input,
      args: work.args,
      randomSeed: work.randomSeed,
      clockStartMs: epochMs(work.clockStart),
      memoryMb: enclave.config.memoryMb,
      fuelLimit: runFuelOf(work),
    },
    { wrapper: enclave.wrapper, timeLimitSeconds: work.timeLimitSeconds, probeFuel: probeFuel(work) },
  );
  const record = recordOf(enclave, message, finished, startedAt);
  send({
    type: 'finished',
    record,
    signature: sign(null, signedBytesOf(record), privateKey),
    output: finished.output,
  });
};

const load = async (message: Load): Promise<void> => {
  const inspected = await inspectModule(message.code);
  if (!inspected.ok) return send({ type: 'refused', rejection: inspected });
  const { metered, report, minimumMemoryBytes } = inspected.value;
  loaded = { ...message, metered, report };
  send({ type: 'loaded', enclaveKey, minimumMemoryBytes });
};

process.on('message', (received) => {
  const message = received as HostMessage;
  const failed = (error: unknown): void => send({ type: 'failed', message: String(error) });
  if (message.type === 'load') load(message).catch(failed);
  else if (loaded) running = run(loaded, message).catch(failed);
});
// The node let go of this enclave. The runner is killed on the same event; waiting for it leaves no zombie behind.
process.once('disconnect', () => void running.then(() => process.exit()));
