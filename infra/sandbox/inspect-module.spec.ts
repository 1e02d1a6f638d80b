import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import { assemble, assembleTestModule } from '../../test/workloads/assemble.ts';
import { inspectModule } from './inspect-module.ts';

const rulesOf = async (wasm: Uint8Array): Promise<string> => {
  const result = await inspectModule(wasm, 'body');
  if (result.ok) return 'accepted';
  expect(result.code).toBe('INVALID_REQUEST');
  expect(result.errors?.length).toBeGreaterThan(0);
  for (const error of result.errors ?? []) expect(error.field).toBe('body');
  return result.errors?.map((error) => error.rule).join('; ') ?? '';
};

const START = '(func (export "_start"))';
const MEMORY = '(memory (export "memory") 1)';
const rulesOfText = async (text: string): Promise<string> => rulesOf(await assemble('test.wat', text));

let good: Uint8Array;
beforeAll(async () => {
  good = await assembleTestModule('random-and-clock');
});

describe('inspectModule', () => {
  it('accepts a WASI command and tells what it needs', async () => {
    const inspected = await inspectModule(good);
    if (!inspected.ok) throw new Error(inspected.message);
    const { imports, minimumMemoryBytes, metered, report } = inspected.value;
    expect(imports).toEqual(['random_get', 'clock_time_get', 'fd_write']);
    expect(minimumMemoryBytes).toBe(65_536);
    expect(WebAssembly.validate(metered)).toBe(true);
    expect(report).toMatchObject({ version: METERING_VERSION, memoryPages: 1 });
  });

  it('accepts the mere import of files and sockets', async () => {
    expect(await rulesOf(await assembleTestModule('open-file'))).toBe('accepted');
    expect(await rulesOf(await assembleTestModule('open-socket'))).toBe('accepted');
  });

  it('refuses a module cut off at any length', async () => {
    // Its last section is the code. Cut before an optional last section, a module is another valid module: only its
    // hash tells.
    const whole = await assembleTestModule('exit-3');
    for (let length = 0; length < whole.length; length++)
      expect(await rulesOf(whole.subarray(0, length))).not.toBe('accepted');
    expect(await rulesOf(good.subarray(0, good.length - 1))).toContain('a complete and valid module');
  });

  it('never throws, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: good.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 20 }),
        async (at, flip, tail) => {
          const bytes = new Uint8Array([...good, ...tail]);
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          expect(typeof (await inspectModule(bytes)).ok).toBe('boolean');
        },
      ),
    );
  });

  it('refuses what is not a core module', async () => {
    expect(await rulesOf(new TextEncoder().encode('#!/bin/sh\n'))).toContain('starts with \\0asm');
    expect(await rulesOf(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0))).toContain('not a component');
  });

  it('refuses imports from elsewhere, of other kinds and of unknown names', async () => {
    const imports = (text: string) => rulesOfText(`(module (import ${text}) ${MEMORY} ${START})`);
    expect(await imports('"env" "f" (func)')).toContain('env.f');
    expect(await imports('"wasi_snapshot_preview1" "sock_open" (func)')).toContain('sock_open');
    expect(await imports('"wasi_snapshot_preview1" "fd_read" (global i32)')).toContain('fd_read');
  });

  it('refuses a module without a start, or without its one plain memory', async () => {
    expect(await rulesOfText(`(module ${MEMORY})`)).toContain('exports the function _start');
    expect(await rulesOfText(`(module (memory 1) ${START})`)).toContain('exports the memory memory');
    expect(await rulesOfText(`(module ${START})`)).toContain('exactly one memory');
  });

  it('refuses further memories: each of them would have the bound for itself', async () => {
    // (module (memory 1) (memory 1) (func) (export "memory" (memory 0)) (export "_start" (func 0)))
    const sections = [
      [1, 4, 1, 0x60, 0, 0],
      [3, 2, 1, 0],
      [5, 5, 2, 0, 1, 0, 1],
      [7, 19, 2, 6, ...Buffer.from('memory'), 2, 0, 6, ...Buffer.from('_start'), 0, 0],
      [10, 4, 1, 2, 0, 0x0b],
    ];
    const two = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
    expect(await rulesOf(two)).toBe('declares exactly one memory, 32-bit and not shared');
  });
});
