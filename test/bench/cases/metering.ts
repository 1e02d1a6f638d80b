import { setFlagsFromString } from 'node:v8';
import { instrument } from '../../../domain/metering/instrument.ts';
import { MODULE_NAME } from '../../../domain/metering/preview1.ts';
import { executeModule } from '../../../infra/sandbox/execute-module.ts';
import { seededRandom } from '../../../infra/sandbox/wasi/random.ts';
import { createWasi, EndSignal } from '../../../infra/sandbox/wasi/shim.ts';
import { virtualClock } from '../../../infra/sandbox/wasi/virtual-clock.ts';
import { buildGoProgram } from '../../workloads/go-program.ts';
import { assembleProgram, programNames } from '../../workloads/programs.ts';
import { type Case, cpuTime } from '../harness.ts';

// As in the sandbox's runner.
setFlagsFromString('--experimental-wasm-branch-hinting');

const SAMPLE_MS = 300;
const SEED = '11'.repeat(32);

/** Runs a module as it was submitted; answers with how many bytes it wrote. */
const runPlain = async (module: WebAssembly.Module): Promise<number> => {
  let written = 0;
  const wasi = createWasi({
    args: ['main.wasm'],
    stdin: new Uint8Array(0),
    clock: virtualClock(0),
    fillRandom: seededRandom(SEED),
    writeStdout: (bytes) => {
      written += bytes.length;
      return true;
    },
    writeStderr: () => undefined,
    pay: () => true,
  });
  const { exports } = await WebAssembly.instantiate(module, { [MODULE_NAME]: wasi.imports });
  wasi.attach(exports['memory'] as WebAssembly.Memory);
  try {
    (exports['_start'] as () => void)();
  } catch (error) {
    if (!(error instanceof EndSignal)) throw error;
  }
  return written;
};

const runMetered = async (code: Uint8Array): Promise<number> => {
  const task = { code, input: new Uint8Array(0), args: [], randomSeed: SEED, clockStartMs: 0 };
  const end = await executeModule({ ...task, memoryMb: 1024, fuelLimit: 1e15 }, () => undefined);
  if (end.outcome !== 'exited') throw new Error(`ended by ${end.outcome}`);
  return end.output.length;
};

const caseOf = async (name: string, wasm: Uint8Array): Promise<Case> => {
  const metered = instrument(wasm);
  if (!metered.ok) throw new Error(metered.message);
  const { bytes } = metered.value;
  const plain = await WebAssembly.compile(wasm);
  // Kept, so that the engine finds its code again for each run, as it does for `plain`.
  const kept = await WebAssembly.compile(bytes);
  const [ours, theirs] = [await runMetered(bytes), await runPlain(plain)];
  if (ours !== theirs || WebAssembly.Module.exports(kept).length === 0) throw new Error(`${name} differs`);
  return {
    name,
    unit: 'CPU ms',
    ours: () => cpuTime(SAMPLE_MS, () => runMetered(bytes)),
    baseline: () => cpuTime(SAMPLE_MS, () => runPlain(plain)),
  };
};

/** The programs of test/workloads, and one that Go compiled where there is Go. */
export const meteringCases = async (): Promise<Case[]> => {
  const cases: Case[] = [];
  for (const name of await programNames()) cases.push(await caseOf(name, await assembleProgram(name)));
  const go = await buildGoProgram();
  if (go) cases.push(await caseOf('go', go));
  return cases;
};
