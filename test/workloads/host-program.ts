import { createHash } from 'node:crypto';
import { createEnclaveHost } from '../../infra/sandbox/index.ts';
import { assembleTestModule } from './assemble.ts';
import { simulatedMachine } from './simulated-machine.ts';

/** A node's process for tests: runs a module that never ends, so that the test can kill it meanwhile. */
const now = new Date().toISOString();
const host = createEnclaveHost({ platform: simulatedMachine(now).platform });
const code = await assembleTestModule('loop');
const input = new Uint8Array(0);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const created = await host.create({
  enclaveId: 'enclave-1',
  code,
  codeHash: sha256(code),
  config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
});
if (!created.ok) throw new Error(created.message);
await created.value.attest('ab'.repeat(32));
await created.value.run(
  {
    jobId: null,
    providerId: 'provider-1',
    work: {
      args: [],
      inputHash: sha256(input),
      randomSeed: '00'.repeat(32),
      clockStart: now,
      timeLimitSeconds: 600,
    },
  },
  input,
);
