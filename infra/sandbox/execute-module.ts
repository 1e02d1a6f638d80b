import { ENDED, EXPORTS } from '../../domain/metering/host-interface.ts';
import { MODULE_NAME } from '../../domain/metering/preview1.ts';
import { outputBuffer } from './output-buffer.ts';
import { MAX_OUTPUT_BYTES, type RunnerEnd, type RunnerTask } from './protocol.ts';
import { trapOf } from './traps.ts';
import { seededRandom } from './wasi/random.ts';
import { createWasi, EndSignal, type Wasi } from './wasi/shim.ts';
import { virtualClock } from './wasi/virtual-clock.ts';

const PAGES_PER_MB = 16;

/** What an instrumented module exports (`EXPORTS`). */
interface Metered {
  readonly run: () => void;
  readonly memory: WebAssembly.Memory;
  readonly fuel: WebAssembly.Global<bigint>;
  readonly ended: WebAssembly.Global<number>;
  readonly pages: WebAssembly.Global<number>;
  readonly refused: WebAssembly.Global<number>;
}

type Ending = Pick<RunnerEnd, 'outcome' | 'exitCode' | 'trap' | 'reason'>;

const ended = (
  outcome: RunnerEnd['outcome'],
  reason: string | null,
  facts: Partial<Ending> = {},
): Ending => ({
  outcome,
  reason,
  exitCode: null,
  trap: null,
  ...facts,
});

const exited = (exitCode: number): Ending => ended('exited', null, { exitCode });
const outOfFuel = (limit: number): Ending =>
  ended('fuel_limit', `stopped at the limit of ${limit} units of fuel`);

/** @throws what is no outcome of the module but a failure of this machine. */
const afterThrow = (
  error: unknown,
  metered: Metered | null,
  wasi: Wasi,
  { fuelLimit }: RunnerTask,
): Ending => {
  if (error instanceof EndSignal) {
    if (error.end === 'exit') return exited(wasi.exitCode() ?? 0);
    if (error.end === 'fuel') return outOfFuel(fuelLimit);
    return ended('output_limit', 'stopped at the limit of 16 MiB of output');
  }
  const trap = error instanceof WebAssembly.RuntimeError ? trapOf(error.message) : null;
  if (trap === null) throw error;
  switch (metered?.ended.value ?? ENDED.no) {
    case ENDED.no:
      break;
    case ENDED.fuel:
      return outOfFuel(fuelLimit);
    case ENDED.stack:
      return ended('stack_limit', 'stopped at the limit of its stack: calls nested too deep');
    default:
      throw new Error('this machine could not give memory that the limit allows');
  }
  return metered?.refused.value === 1
    ? ended('memory_limit', 'no more memory than the bound of the enclave')
    : ended('trapped', `trap: ${trap}`, { trap });
};

/**
 * Runs an instrumented module once, in this thread, whose stack has to be `REAL_STACK_MB`. What the module does is in the
 * answer; rejects only when this machine fails it. `writeStderr` gets what it writes to standard error.
 */
export const executeModule = async (
  task: RunnerTask,
  writeStderr: (bytes: Uint8Array) => void,
): Promise<RunnerEnd> => {
  const stdout = outputBuffer(MAX_OUTPUT_BYTES);
  let metered: Metered | null = null;
  const wasi = createWasi({
    args: ['main.wasm', ...task.args],
    stdin: task.input,
    clock: virtualClock(task.clockStartMs),
    fillRandom: seededRandom(task.randomSeed),
    writeStdout: stdout.write,
    writeStderr,
    pay: (fuel) => {
      if (metered === null) return false;
      metered.fuel.value -= BigInt(fuel);
      return metered.fuel.value >= 0n;
    },
  });
  const execute = async (): Promise<Ending> => {
    try {
      const module = await WebAssembly.compile(task.code);
      const { exports } = await WebAssembly.instantiate(module, { [MODULE_NAME]: wasi.imports });
      metered = exports as unknown as Metered;
      metered[EXPORTS.fuel].value = BigInt(task.fuelLimit);
      metered[EXPORTS.pages].value = task.memoryMb * PAGES_PER_MB;
      wasi.attach(metered[EXPORTS.memory]);
      metered[EXPORTS.run]();
      return exited(0);
    } catch (error) {
      return afterThrow(error, metered, wasi, task);
    }
  };
  const before = process.cpuUsage();
  const ending = await execute();
  const { user, system } = process.cpuUsage(before);
  const left = metered as Metered | null;
  const used = left === null ? 0 : task.fuelLimit - Number(left.fuel.value);
  // What a function adds up it pays without asking, when it ends: a run may be past its limit without having met it.
  const past = used > task.fuelLimit;
  return {
    ...(past ? outOfFuel(task.fuelLimit) : ending),
    fuelUsed: past || ending.outcome === 'fuel_limit' ? task.fuelLimit : used,
    output: stdout.bytes(),
    cpuMs: (user + system) / 1000,
    memoryBytes: left?.memory.buffer.byteLength ?? 0,
  };
};
