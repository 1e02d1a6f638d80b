import { describe, expect, it } from 'vitest';
import { instrument } from '../../domain/metering/instrument.ts';
import type { RunnerEnd, RunnerTask } from '../../infra/sandbox/protocol.ts';
import { assemble } from '../workloads/assemble.ts';
import { buildGoProgram } from '../workloads/go-program.ts';
import { assembleProgram, programNames } from '../workloads/programs.ts';
import { DEEP } from './deep.ts';
import { generateModule } from './generate-module.ts';
import { runIn, type Seen, STATES, unmeteredDepth } from './states.ts';

/** Runs of each module in each state of the engine's compilers; the full measure is 30. */
const RUNS = Number(process.env['DETERMINISM_RUNS'] ?? 3);
const GENERATED = 200;
const MINUTES = 60_000;

const taskOf = (name: string, wasm: Uint8Array, limits: Partial<RunnerTask> = {}): RunnerTask => {
  const metered = instrument(wasm);
  if (!metered.ok) throw new Error(`${name}: ${metered.message}`);
  return {
    code: metered.value.bytes,
    input: new Uint8Array(0),
    args: [],
    randomSeed: '11'.repeat(32),
    clockStartMs: 0,
    memoryMb: 16,
    fuelLimit: 1e12,
    ...limits,
  };
};

/** What was seen of each task in any state, each different thing once. */
const everywhere = async (tasks: readonly RunnerTask[], runs: number): Promise<Seen> => {
  const all = tasks.map(() => new Set<string>());
  for (const flags of Object.values(STATES)) {
    const seen = await runIn(flags, { tasks, runs });
    for (const [index, each] of seen.entries()) for (const one of each) all[index]?.add(one);
  }
  return all.map((each) => [...each]);
};

/** Those that were not seen to end in one way alone. */
const differing = (seen: Seen, names: readonly string[]) =>
  seen.flatMap((ends, index) => (ends.length === 1 ? [] : [{ name: names[index], ends }]));

const countBy = (seen: Seen): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const [first = ''] of seen) {
    const { outcome, trap } = JSON.parse(first) as RunnerEnd;
    const kind = trap ?? outcome;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
};

describe(`settled 44: in ${Object.keys(STATES).length} states of the compilers, ${RUNS} runs in each`, () => {
  it(`${GENERATED} generated modules end alike, fuel and output included`, {
    timeout: 60 * MINUTES,
  }, async () => {
    const texts = Array.from({ length: GENERATED }, (_, seed) => generateModule(seed));
    const limits = { memoryMb: 2, fuelLimit: 3_000_000 };
    const tasks = await Promise.all(
      texts.map(async (text, seed) => taskOf(`seed ${seed}`, await assemble('generated', text), limits)),
    );
    const seen = await everywhere(tasks, RUNS);
    expect(
      differing(
        seen,
        texts.map((_, seed) => `seed ${seed}`),
      ),
    ).toEqual([]);
    // Otherwise this would show that nothing happens, again and again.
    const kinds = countBy(seen);
    expect(Object.keys(kinds).length).toBeGreaterThanOrEqual(9);
    expect(kinds['exited']).toBeGreaterThan(GENERATED / 8);
  });

  it('the programs of test/workloads end alike', { timeout: 60 * MINUTES }, async () => {
    const names = await programNames();
    expect(names.length).toBeGreaterThanOrEqual(10);
    const tasks = await Promise.all(names.map(async (name) => taskOf(name, await assembleProgram(name))));
    const seen = await everywhere(tasks, RUNS);
    expect(differing(seen, names)).toEqual([]);
    expect(countBy(seen)).toEqual({ exited: names.length });
  });

  it('a program that Go compiled ends alike', { timeout: 60 * MINUTES }, async ({ skip }) => {
    const wasm = await buildGoProgram();
    if (!wasm) return skip('there is no Go on this machine');
    const seen = await everywhere([taskOf('go', wasm, { memoryMb: 256 })], RUNS);
    expect(differing(seen, ['go'])).toEqual([]);
    expect(countBy(seen)).toEqual({ exited: 1 });
  });

  it('a run ends by its counted stack, whatever its frames are made of', {
    timeout: 10 * MINUTES,
  }, async () => {
    const names = Object.keys(DEEP);
    const tasks = await Promise.all(
      Object.entries(DEEP).map(async ([name, text]) => taskOf(name, await assemble(name, text))),
    );
    const seen = await everywhere(tasks, 2);
    expect(differing(seen, names)).toEqual([]);
    expect(countBy(seen)).toEqual({ stack_limit: tasks.length });
  });

  it('and without metering they would not: the compilers disagree about a stack', async () => {
    const baseline = await unmeteredDepth(STATES['baseline compiler only'] ?? []);
    const optimised = await unmeteredDepth(STATES['optimising compiler only'] ?? []);
    expect(baseline).toBeGreaterThan(1000);
    expect(optimised).not.toBe(baseline);
  });
});
