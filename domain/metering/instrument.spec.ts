import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunnerEnd } from '../../infra/sandbox/protocol.ts';
import { generateModule } from '../../test/determinism/generate-module.ts';
import { assemble } from '../../test/workloads/assemble.ts';
import { openMeteredThread } from '../../test/workloads/metered-thread.ts';
import { assembleProgram, programNames } from '../../test/workloads/programs.ts';
import { METERING_VERSION } from './costs.ts';
import { instrument } from './instrument.ts';

const metered = (wasm: Uint8Array): Uint8Array => {
  const result = instrument(wasm);
  if (!result.ok) throw new Error(result.message);
  return result.value.bytes;
};

const ruleOf = async (text: string): Promise<string> => {
  const result = instrument(await assemble('test.wat', text));
  return result.ok ? 'accepted' : result.message;
};

let thread: ReturnType<typeof openMeteredThread>;
beforeAll(() => {
  thread = openMeteredThread();
});
afterAll(() => thread.close());

const EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
const WRITE =
  '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))';
const MEMORY = '(memory (export "memory") 1)';
const START = '(func (export "_start"))';

const runWasm = (
  wasm: Uint8Array,
  { fuelLimit = 1e9, memoryMb = 1 }: { fuelLimit?: number; memoryMb?: number } = {},
): Promise<RunnerEnd> =>
  thread.run({
    code: metered(wasm),
    input: new Uint8Array(0),
    args: [],
    randomSeed: '00'.repeat(32),
    clockStartMs: 0,
    memoryMb,
    fuelLimit,
  });

const run = async (text: string, limits?: { fuelLimit?: number; memoryMb?: number }): Promise<RunnerEnd> =>
  runWasm(await assemble('test.wat', text), limits);

/** A program whose number, `$main`, becomes its output. */
const whole = (text: string): string => `(module ${WRITE} ${EXIT} ${MEMORY} ${text}
  (func (export "_start")
    (i64.store (i32.const 16) (call $main))
    (i64.store (i32.const 0) (i64.const 0x800000010))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const numberOf = async (text: string): Promise<bigint> => {
  const end = await run(whole(text));
  expect(end).toMatchObject({ outcome: 'exited', exitCode: 0 });
  return Buffer.from(end.output).readBigUInt64LE();
};

/** What a module does without metering, on this machine. */
const unmetered = async (wasm: Uint8Array): Promise<{ output: Buffer } | { trap: string }> => {
  const pieces: Uint8Array[] = [];
  let memory: WebAssembly.Memory | null = null;
  const view = (): DataView => new DataView((memory as WebAssembly.Memory).buffer);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(wasm), {
    wasi_snapshot_preview1: {
      fd_write: (_fd: number, vectors: number): number => {
        const [at, size] = [view().getUint32(vectors, true), view().getUint32(vectors + 4, true)];
        pieces.push(new Uint8Array((memory as WebAssembly.Memory).buffer.slice(at, at + size)));
        return 0;
      },
      random_get: (): number => 0,
    },
  });
  memory = exports['memory'] as WebAssembly.Memory;
  try {
    (exports['_start'] as () => void)();
    return { output: Buffer.concat(pieces) };
  } catch (error) {
    return { trap: (error as Error).message };
  }
};

describe('instrument', () => {
  it('is a pure function whose results change with its version alone', async () => {
    const sample = await readFile(new URL('../../infra/workloads/word-count.wasm', import.meta.url));
    const first = metered(new Uint8Array(sample));
    expect(metered(new Uint8Array(sample))).toEqual(first);
    const all = createHash('sha256').update(first);
    for (const name of await programNames()) all.update(metered(await assembleProgram(name)));
    for (let seed = 0; seed < 20; seed++)
      all.update(metered(await assemble('generated', generateModule(seed))));
    // A new value here is a new METERING_VERSION: nodes of both would disagree about what a run is.
    expect({ version: METERING_VERSION, all: all.digest('hex') }).toEqual({
      version: 1,
      all: 'e65297dd82b58e4dff0f46c5b8ad12e33305f68e99f1ce1540acc2853ade5794',
    });
  });

  it('leaves a module that does what it did', { timeout: 120_000 }, async () => {
    let ended = 0;
    for (let seed = 1000; seed < 1120; seed++) {
      const text = generateModule(seed, { floats: false }).replace(
        /\(drop \(call \$random[^\n]*/,
        '(drop (call $random (i32.const 0) (i32.const 0)))',
      );
      const wasm = await assemble('generated', text);
      const end = await runWasm(wasm, { fuelLimit: 2e6, memoryMb: 64 });
      if (end.outcome !== 'exited' && end.outcome !== 'trapped') continue;
      const plain = await unmetered(wasm);
      // The stack of this thread is smaller than what a run may count.
      if ('trap' in plain && plain.trap.includes('call stack')) continue;
      ended += 1;
      if (end.outcome === 'trapped') expect('trap' in plain).toBe(true);
      else expect(plain).toEqual({ output: Buffer.from(end.output) });
    }
    expect(ended).toBeGreaterThan(30);
  });

  it('gives a valid module for whatever it takes', { timeout: 120_000 }, async () => {
    for (let seed = 2000; seed < 2100; seed++)
      expect(WebAssembly.validate(metered(await assemble('generated', generateModule(seed))))).toBe(true);
  });

  it('never throws, whatever the bytes', async () => {
    const good = await assemble('generated', generateModule(1));
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(),
        (at, flip, cut) => {
          const bytes = new Uint8Array(good);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          expect(typeof instrument(bytes).ok).toBe('boolean');
          expect(typeof instrument(bytes.subarray(0, cut % good.length)).ok).toBe('boolean');
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['shared memory', '(memory (export "memory") 1 1 shared)', 'not shared'],
    ['a larger memory', '(memory (export "memory") i64 1)', 'not shared'],
    ['atomics', `${MEMORY} (func (drop (i32.atomic.load (i32.const 0))))`, 'only instructions'],
    [
      'relaxed SIMD',
      `${MEMORY} (func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0))))`,
      'relaxed SIMD',
    ],
    ['exceptions', `${MEMORY} (func (try (do) (catch_all)))`, 'only instructions'],
    ['a tag', `${MEMORY} (tag)`, 'only the sections'],
    ['no memory', '', 'exactly one memory'],
    ['two memories', `${MEMORY} (memory 1)`, 'exactly one memory'],
    ['too large a table', `${MEMORY} (table 1000001 funcref)`, 'at most 1000000 entries'],
    [
      'a WASI function of another type',
      `(import "wasi_snapshot_preview1" "fd_read" (func (param f32))) ${MEMORY}`,
      'by its type',
    ],
    ['a function from elsewhere', `(import "env" "f" (func)) ${MEMORY}`, 'not env.f'],
    ['an imported memory', `(import "env" "memory" (memory 1))`, 'exactly one memory'],
    ['an imported global', `(import "env" "g" (global i32)) ${MEMORY}`, 'imports functions only'],
  ])('refuses %s', async (_what, text, rule) => {
    expect(await ruleOf(`(module ${text} ${START})`)).toContain(rule);
  });

  it('refuses a start that takes or gives something, and none', async () => {
    expect(await ruleOf(`(module ${MEMORY})`)).toContain('exports the function _start');
    expect(await ruleOf(`(module ${MEMORY} (func (export "_start") (param i32)))`)).toContain(
      'takes and returns nothing',
    );
  });

  it('refuses call chains that the stack could not hold', async () => {
    const functions = Array.from(
      { length: 30 },
      (_, index) => `(func $f${index} ${'(local i64) '.repeat(5000)} (call $f${index + 1}))`,
    );
    const text = `(module ${MEMORY} ${functions.join(' ')} (func $f30) (func (export "_start") (call $f0)))`;
    expect(await ruleOf(text)).toContain('call chains without recursion');
  });
});

describe('fuel', () => {
  it('is counted by the instruction, whichever way is taken', async () => {
    const used = async (body: string): Promise<number> =>
      (
        await run(
          `(module ${MEMORY} (global $g (mut i32) (i32.const 0)) (func (export "_start") (local i32) ${body}))`,
        )
      ).fuelUsed;
    const size = (body: string) =>
      assemble(
        'size.wat',
        `(module ${MEMORY} (global $g (mut i32) (i32.const 0)) (func (export "_start") (local i32) ${body}))`,
      );
    const beyond = async (body: string): Promise<number> =>
      (await used(body)) - (await size(body)).length * 8 - 8192;
    expect(await beyond('')).toBe(0);
    // A constant and a drop.
    expect(await beyond('(drop (i32.const 1))')).toBe(2);
    // Three constants and locals, an addition, a memory access, a drop.
    expect(await beyond('(drop (i32.load (i32.add (local.get 0) (i32.const 8))))')).toBe(1 + 1 + 2 + 4 + 1);
    // Either arm costs what it holds: the test 2, the arm 2 more.
    expect(await beyond('(if (local.get 0) (then (nop)) (else (drop (i32.const 1))))')).toBe(1 + 2);
    expect(await beyond('(if (i32.eqz (local.get 0)) (then (nop)) (else (drop (i32.const 1))))')).toBe(1 + 2);
    // Ten times: get, constant, subtract, tee, jump; and what comes before and behind.
    const loop = `(local.set 0 (i32.const 10))
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (global.set $g (local.get 0))`;
    expect(await beyond(loop)).toBe(2 + 10 * (1 + 1 + 2 + 1 + 2) + 3);
  });

  it('ends a run beyond its limit and not at it', async () => {
    const text = whole(
      '(func $main (result i64) (local i64) (loop $l (local.set 0 (i64.add (local.get 0) (i64.const 1))) (br_if $l (i64.lt_u (local.get 0) (i64.const 100000)))) (local.get 0))',
    );
    const { fuelUsed, outcome } = await run(text);
    expect(outcome).toBe('exited');
    expect(await run(text, { fuelLimit: fuelUsed })).toMatchObject({ outcome: 'exited', fuelUsed });
    const less = fuelUsed - 1;
    expect(await run(text, { fuelLimit: less })).toMatchObject({
      outcome: 'fuel_limit',
      fuelUsed: less,
      exitCode: null,
    });
    expect(await run(text, { fuelLimit: 20_000 })).toMatchObject({ outcome: 'fuel_limit', fuelUsed: 20_000 });
  });

  it.each([
    ['a loop', '(loop $l (br $l))'],
    ['recursion', '(call $f)'],
    ['a tail call', '(return_call $f)'],
    ['an indirect tail call', '(return_call_indirect (type $t) (i32.const 0))'],
  ])('ends %s that never would', async (_what, body) => {
    const text = `(module ${MEMORY} (type $t (func)) (table funcref (elem $g)) (func $g (call $f))
      (func $f (block ${body})) (func (export "_start") (call $f)))`;
    expect(['fuel_limit', 'stack_limit']).toContain((await run(text, { fuelLimit: 300_000 })).outcome);
  });

  it('ends a run that doubles its calls without loop or recursion', async () => {
    const functions = Array.from(
      { length: 40 },
      (_, n) => `(func $f${n} (call $f${n + 1}) (call $f${n + 1}))`,
    );
    const text = `(module ${MEMORY} ${functions.join(' ')} (func $f40) (func (export "_start") (call $f0)))`;
    expect(await run(text, { fuelLimit: 1e6 })).toMatchObject({ outcome: 'fuel_limit', fuelUsed: 1e6 });
  });

  it('is charged by size for memory and tables, and for the module itself', async () => {
    const used = async (body: string): Promise<number> =>
      (await run(`(module ${MEMORY} (table 1 funcref) (func (export "_start") ${body}))`)).fuelUsed;
    const fill = (size: number): Promise<number> =>
      used(`(memory.fill (i32.const 0) (i32.const 0) (i32.const ${size}))`);
    expect((await fill(60_000)) - (await fill(10_000))).toBe(50_000 / 8);
    const copy = (size: number): Promise<number> =>
      used(`(memory.copy (i32.const 0) (i32.const 0) (i32.const ${size}))`);
    expect((await copy(60_000)) - (await copy(10_000))).toBe(50_000 / 8);
    const grow = (pages: number): Promise<number> => used(`(drop (memory.grow (i32.const ${pages})))`);
    expect((await grow(9)) - (await grow(1))).toBe(8 * 8192);
    const entries = (count: number): Promise<number> =>
      used(`(drop (table.grow 0 (ref.null func) (i32.const ${count})))`);
    expect((await entries(9000)) - (await entries(8500))).toBe(500 * 4);
  });

  it('cannot be had for nothing by a size that is a negative number elsewhere', async () => {
    const text = `(module ${MEMORY} (func (export "_start") (memory.fill (i32.const 0) (i32.const 0) (i32.const -1))))`;
    expect(await run(text, { fuelLimit: 1e6 })).toMatchObject({ outcome: 'fuel_limit', fuelUsed: 1e6 });
  });

  it('is taken for the start function, which runs with the limits in force', async () => {
    const text = `(module ${EXIT} ${MEMORY} (func $begin (call $exit (i32.const 4))) (start $begin) ${START})`;
    expect(await run(text)).toMatchObject({ outcome: 'exited', exitCode: 4 });
    const endless = `(module ${MEMORY} (func $begin (loop $l (br $l))) (start $begin) ${START})`;
    expect(await run(endless, { fuelLimit: 1e6 })).toMatchObject({ outcome: 'fuel_limit' });
  });
});

describe('memory', () => {
  it('grows up to the bound of the enclave and no further, whatever the machine has', async () => {
    const main = (body: string): string => `(func $main (result i64) ${body})`;
    const extended = (body: string): string => main(`(i64.extend_i32_s ${body})`);
    expect(await numberOf(extended('(memory.grow (i32.const 15))'))).toBe(1n);
    expect(await numberOf(extended('(memory.grow (i32.const 16))'))).toBe(2n ** 64n - 1n);
    expect(await numberOf(extended('(memory.grow (i32.const -1))'))).toBe(2n ** 64n - 1n);
  });

  const abort = '(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then (unreachable)))';
  const program = (memory: string, body: string): string =>
    `(module ${EXIT} (memory (export "memory") ${memory}) (func (export "_start") ${body}))`;

  it('is a limit when the run traps after the bound refused it', async () => {
    expect(await run(program('1', abort))).toMatchObject({ outcome: 'memory_limit', trap: null });
    expect(await run(program('1', abort), { memoryMb: 8 })).toMatchObject({ outcome: 'exited' });
  });

  it('is none when the module takes the refusal, is refused by itself, or got memory later', async () => {
    const exits =
      '(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then (call $exit (i32.const 7))))';
    expect(await run(program('1', exits))).toMatchObject({ outcome: 'exited', exitCode: 7 });
    expect(await run(program('1 4', abort))).toMatchObject({ outcome: 'trapped', trap: 'unreachable' });
    const later = '(drop (memory.grow (i32.const 100))) (drop (memory.grow (i32.const 1))) (unreachable)';
    expect(await run(program('1', later))).toMatchObject({ outcome: 'trapped', trap: 'unreachable' });
  });
});

describe('traps', () => {
  it.each([
    ['unreachable', '(unreachable)'],
    ['memory_out_of_bounds', '(drop (i32.load (i32.const -4)))'],
    ['memory_out_of_bounds', '(memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000))'],
    ['memory_out_of_bounds', '(memory.init $data (i32.const 0) (i32.const 0) (i32.const 9))'],
    ['table_out_of_bounds', '(drop (table.get (i32.const 5)))'],
    ['table_out_of_bounds', '(table.copy (i32.const 0) (i32.const 1) (i32.const 5))'],
    ['table_out_of_bounds', '(call_indirect (type $t) (i32.const 5))'],
    ['divide_by_zero', '(drop (i32.div_s (i32.const 1) (i32.const 0)))'],
    ['divide_by_zero', '(drop (i64.rem_u (i64.const 1) (i64.const 0)))'],
    ['integer_overflow', '(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))'],
    ['invalid_conversion', '(drop (i32.trunc_f64_s (f64.const nan)))'],
    ['indirect_call_mismatch', '(call_indirect (type $t) (i32.const 0))'],
    ['indirect_call_mismatch', '(call_indirect (type $t) (i32.const 1))'],
  ])('%s: %s', async (trap, body) => {
    const text = `(module ${MEMORY} (type $t (func)) (table 2 funcref) (elem (i32.const 1) func $other)
      (data $data "abc") (func $other (param i32)) (func (export "_start") ${body}))`;
    expect(await run(text)).toMatchObject({ outcome: 'trapped', trap, exitCode: null });
  });

  it('are found before the first instruction as well', async () => {
    expect(await run(`(module ${MEMORY} (data (i32.const 65536) "a") ${START})`)).toMatchObject({
      outcome: 'trapped',
      trap: 'memory_out_of_bounds',
    });
    expect(
      await run(`(module ${MEMORY} (table 1 funcref) (elem (i32.const 1) func $f) (func $f) ${START})`),
    ).toMatchObject({ outcome: 'trapped', trap: 'table_out_of_bounds' });
  });
});

describe('a NaN', () => {
  const NAN_64 = 0x7ff8_0000_0000_0000n;
  const NAN_32 = 0x7fc0_0000n;
  const bits64 = (value: string, before = ''): Promise<bigint> =>
    numberOf(`(func $main (result i64) (local $x f64) ${before} (i64.reinterpret_f64 ${value}))`);
  const bits32 = (value: string): Promise<bigint> =>
    numberOf(`(func $main (result i64) (i64.extend_i32_u (i32.reinterpret_f32 ${value})))`);

  // On x86-64 the processor's own NaN is negative, so each of these fails without metering.
  const INF = '(f64.const inf)';
  const MADE = `(f64.sub ${INF} ${INF})`;

  it.each([
    ['add', `(f64.add ${INF} (f64.const -inf))`],
    ['multiply', `(f64.mul ${INF} (f64.const 0))`],
    ['divide', '(f64.div (f64.const 0) (f64.const 0))'],
    ['square root', '(f64.sqrt (f64.const -1))'],
    ['payload in', '(f64.add (f64.const nan:0x4000000000001) (f64.const 1))'],
    ['minimum', '(f64.min (f64.const -nan) (f64.const 1))'],
    ['floor', '(f64.floor (f64.const nan:0x4000000000001))'],
    ['promote', '(f64.promote_f32 (f32.const nan:0x200001))'],
    ['a chain', `(f64.add (f64.mul ${MADE} (f64.const 2)) (f64.const 1))`],
    ['select', `(select ${MADE} (f64.const 1) (i32.const 1))`],
    ['block', `(block (result f64) ${MADE})`],
    ['branch', `(block $b (result f64) (drop (br_if $b ${MADE} (i32.const 1))) (f64.const 1))`],
    ['if', `(if (result f64) (i32.const 1) (then ${MADE}) (else (f64.const 1)))`],
  ])('of arithmetic is the canonical one where it is seen: %s', async (_what, value) => {
    expect(await bits64(value)).toBe(NAN_64);
  });

  it('is canonical through locals, globals, memory, calls and returns', async () => {
    expect(await bits64('(local.get $x)', `(local.set $x ${MADE})`)).toBe(NAN_64);
    expect(await bits64(`(local.tee $x ${MADE})`)).toBe(NAN_64);
    expect(
      await bits64('(local.get $x)', `(local.set $x (f64.load (i32.const 64))) (local.set $x ${MADE})`),
    ).toBe(NAN_64);
    const stored = `(f64.store (i32.const 64) ${MADE}) (local.set $x (f64.load (i32.const 64)))`;
    expect(await bits64('(local.get $x)', stored)).toBe(NAN_64);
    const far = `(global $g (mut f64) (f64.const 0)) (func $same (param f64) (result f64) (local.get 0))
      (func $make (result f64) (return ${MADE}))
      (func $main (result i64) (global.set $g ${MADE})
        (i64.xor (i64.reinterpret_f64 (global.get $g))
          (i64.xor (i64.reinterpret_f64 (call $same ${MADE})) (i64.reinterpret_f64 (call $make)))))`;
    expect(await numberOf(far)).toBe(NAN_64);
  });

  it('is negative where the program makes it so', async () => {
    expect(await bits64(`(f64.neg ${MADE})`)).toBe(NAN_64);
    expect(await bits64(`(f64.copysign (f64.const 1) ${MADE})`)).toBe(0x3ff0_0000_0000_0000n);
    expect(await bits64('(f64.neg (f64.const nan))')).toBe(0xfff8_0000_0000_0000n);
  });

  it('that the program moves about stays as it is', async () => {
    const own = '(f64.const nan:0x4000000000001)';
    expect(await bits64(own)).toBe(0x7ff4_0000_0000_0001n);
    expect(await bits64('(local.get $x)', `(local.set $x ${own})`)).toBe(0x7ff4_0000_0000_0001n);
    expect(await bits64(`(f64.load (i32.const 64))`, `(f64.store (i32.const 64) ${own})`)).toBe(
      0x7ff4_0000_0000_0001n,
    );
    expect(await bits64('(local.get $x)', `(local.set $x ${MADE}) (local.set $x ${own})`)).toBe(
      0x7ff4_0000_0000_0001n,
    );
  });

  it('of single precision and of vectors is canonical too', async () => {
    expect(await bits32('(f32.div (f32.const 0) (f32.const 0))')).toBe(NAN_32);
    expect(await bits32('(f32.demote_f64 (f64.const nan:0x4000000000001))')).toBe(NAN_32);
    const lane = (value: string): Promise<bigint> =>
      numberOf(`(func $main (result i64) (i64x2.extract_lane 1 ${value}))`);
    const zeros = '(v128.const i64x2 0 0)';
    expect(await lane(`(f64x2.div ${zeros} ${zeros})`)).toBe(NAN_64);
    expect(await lane(`(f32x4.div ${zeros} ${zeros})`)).toBe(NAN_32 * 0x1_0000_0001n);
    expect(await lane(`(f64x2.sqrt (v128.const f64x2 4 9))`)).toBe(0x4008_0000_0000_0000n);
  });
});
