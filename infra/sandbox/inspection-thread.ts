import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { ok, type Result } from '../../domain/errors.ts';
import type { Metering } from '../../domain/ports/metered-modules.ts';
import { inspectModule } from './inspect-module.ts';

/** Program of a thread that inspects one module. */

const meteringOf = async (wasm: Uint8Array): Promise<Result<Metering>> => {
  const inspected = await inspectModule(wasm);
  if (!inspected.ok) return inspected;
  const { metered, report } = inspected.value;
  const moduleHash = createHash('sha256').update(metered).digest('hex');
  return ok({ version: report.version, moduleHash });
};

// The listener also keeps the thread alive while the engine compiles on its own threads.
parentPort?.on('message', (wasm: Uint8Array) => {
  void meteringOf(wasm).then((answer) => parentPort?.postMessage(answer));
});
