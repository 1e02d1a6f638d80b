import { expect, it } from 'vitest';
import { instrument } from '../../domain/metering/instrument.ts';
import { DEEP } from '../../test/determinism/deep.ts';
import { assemble, assembleTestModule } from '../../test/workloads/assemble.ts';
import { assembleProgram, programNames } from '../../test/workloads/programs.ts';
import type { Wrapper } from './protocol.ts';
import { runModule } from './run-module.ts';
import { detectIsolation } from './spawn.ts';

const { wrapper } = detectIsolation();

/** All that a run says but its times. */
const factsOf = async (wasm: Uint8Array, within: Wrapper) => {
  const metered = instrument(wasm);
  if (!metered.ok) throw new Error(metered.message);
  const task = { code: metered.value.bytes, input: new Uint8Array(0), args: [], randomSeed: '11'.repeat(32) };
  const {
    cpuMs: _,
    wallMs: __,
    ...facts
  } = await runModule(
    { ...task, clockStartMs: 0, memoryMb: 64, fuelLimit: 200_000_000 },
    { wrapper: within, timeLimitSeconds: 60, probeFuel: 1 },
  );
  return facts;
};

it.runIf(wrapper.deepStack.length > 0)(
  'a module does in the main thread of its runner what it does in a thread apart',
  { timeout: 300_000 },
  async () => {
    const programs = (await programNames()).slice(0, 3).map(assembleProgram);
    const modules = ['loop', 'trap', 'grow-memory', 'flood-output', 'random-and-clock'].map(
      assembleTestModule,
    );
    const deep = Object.entries(DEEP).map(([name, text]) => assemble(name, text));
    const seen = new Set<string>();
    for (const wasm of await Promise.all([...programs, ...modules, ...deep])) {
      const facts = await factsOf(wasm, wrapper);
      expect(facts).toEqual(await factsOf(wasm, { ...wrapper, deepStack: [] }));
      seen.add(facts.outcome);
    }
    expect(seen).toContain('stack_limit');
    expect(seen.size).toBeGreaterThanOrEqual(5);
  },
);
