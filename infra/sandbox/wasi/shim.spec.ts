import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PREVIEW1_FUNCTIONS, type Preview1Function } from '../../../domain/metering/preview1.ts';
import { assemble } from '../../../test/workloads/assemble.ts';
import { ERRNO } from './abi.ts';
import { seededRandom } from './random.ts';
import { createWasi, EndSignal } from './shim.ts';
import { virtualClock } from './virtual-clock.ts';

const PAGE = 65_536;
const BASE_MS = 1_700_000_000_000;

let freshMemory: () => Promise<WebAssembly.Memory>;
beforeAll(async () => {
  const module = await WebAssembly.compile(await assemble('memory', '(module (memory (export "memory") 1))'));
  freshMemory = async () =>
    (await WebAssembly.instantiate(module, {})).exports['memory'] as WebAssembly.Memory;
});

const world = async (stdin = 'input', fuelLimit = Number.POSITIVE_INFINITY) => {
  const memory = await freshMemory();
  const written: number[] = [];
  const paid: number[] = [];
  const wasi = createWasi({
    args: ['main.wasm', 'ä b'],
    stdin: new TextEncoder().encode(stdin),
    clock: virtualClock(BASE_MS),
    fillRandom: seededRandom('07'.repeat(32)),
    writeStdout: (bytes) => {
      written.push(...bytes);
      return true;
    },
    writeStderr: () => undefined,
    pay: (fuel) => {
      paid.push(fuel);
      return paid.reduce((a, b) => a + b, 0) <= fuelLimit;
    },
  });
  wasi.attach(memory);
  const call = (name: Preview1Function, ...args: (number | bigint)[]): number =>
    (wasi.imports[name] as (...given: (number | bigint)[]) => number)(...args);
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  return { call, view, bytes, written, paid, wasi };
};

const OPEN: ReadonlySet<string> = new Set([
  'args_get',
  'args_sizes_get',
  'environ_get',
  'environ_sizes_get',
  'clock_res_get',
  'clock_time_get',
  'fd_close',
  'fd_fdstat_get',
  'fd_fdstat_set_flags',
  'fd_filestat_get',
  'fd_prestat_get',
  'fd_prestat_dir_name',
  'fd_read',
  'fd_seek',
  'fd_tell',
  'fd_write',
  'poll_oneoff',
  'proc_exit',
  'random_get',
  'sched_yield',
]);

describe('WASI shim', () => {
  it('has all 46 functions of preview 1', async () => {
    const { wasi } = await world();
    expect(PREVIEW1_FUNCTIONS.length).toBe(46);
    expect(Object.keys(wasi.imports).sort()).toEqual([...PREVIEW1_FUNCTIONS].sort());
  });

  it('answers ENOTCAPABLE for everything beyond streams, arguments, clock, randomness and exit', async () => {
    const { call } = await world();
    for (const name of PREVIEW1_FUNCTIONS)
      if (!OPEN.has(name)) expect(call(name, 3, 0, 0, 0, 0)).toBe(ERRNO.notcapable);
    expect(call('fd_write', 0, 0, 0, 0)).toBe(ERRNO.notcapable);
    expect(call('fd_read', 1, 0, 0, 0)).toBe(ERRNO.notcapable);
    expect(call('fd_read', 3, 0, 0, 0)).toBe(ERRNO.badf);
    expect(call('fd_prestat_get', 3, 0)).toBe(ERRNO.badf);
    expect(call('fd_seek', 1, 0n, 0, 0)).toBe(ERRNO.spipe);
  });

  it('survives any call with any arguments: an errno or the exit, and memory never grows', async () => {
    const number = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 200 }),
      fc.constantFrom(PAGE - 1, PAGE - 4, PAGE, -1, -PAGE, 2 ** 31 - 1),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...PREVIEW1_FUNCTIONS), fc.array(number, { maxLength: 9 })), {
          maxLength: 20,
        }),
        fc.uint8Array({ minLength: 256, maxLength: 256 }),
        async (calls, noise) => {
          const { call, bytes } = await world();
          for (const [name, args] of calls) {
            bytes.set(noise);
            bytes.set(noise, PAGE - noise.length);
            try {
              const errno = call(name, ...args);
              expect(Number.isInteger(errno) && errno >= 0 && errno <= 76).toBe(true);
            } catch (error) {
              expect(error).toBeInstanceOf(EndSignal);
              expect(calls.some(([given]) => given === 'proc_exit')).toBe(true);
            }
          }
          expect(bytes.length).toBe(PAGE);
        },
      ),
    );
  });

  it('answers EFAULT for memory that ends in between, and before there is any', async () => {
    const { call, view } = await world();
    expect(call('random_get', PAGE - 8, 9)).toBe(ERRNO.fault);
    expect(call('random_get', PAGE - 8, 8)).toBe(ERRNO.success);
    expect(call('random_get', -1, -1)).toBe(ERRNO.fault);
    expect(call('clock_time_get', 0, 1n, PAGE - 7)).toBe(ERRNO.fault);
    view.setUint32(0, PAGE - 2, true);
    view.setUint32(4, 3, true);
    expect(call('fd_write', 1, 0, 1, 100)).toBe(ERRNO.fault);
    expect(call('fd_read', 0, 0, 1, 100)).toBe(ERRNO.fault);
    const unattached = createWasi({
      args: [],
      stdin: new Uint8Array(),
      clock: virtualClock(0),
      fillRandom: () => undefined,
      writeStdout: () => true,
      writeStderr: () => undefined,
      pay: () => true,
    });
    expect((unattached.imports['random_get'] as (...given: number[]) => number)(0, 1)).toBe(ERRNO.fault);
  });

  it('reads standard input over several vectors, then its end', async () => {
    const { call, view, bytes } = await world('hello');
    view.setUint32(0, 1000, true);
    view.setUint32(4, 2, true);
    view.setUint32(8, 2000, true);
    view.setUint32(12, 10, true);
    expect(call('fd_read', 0, 0, 2, 100)).toBe(0);
    expect(view.getUint32(100, true)).toBe(5);
    expect(Buffer.from(bytes.subarray(1000, 1002)).toString()).toBe('he');
    expect(Buffer.from(bytes.subarray(2000, 2003)).toString()).toBe('llo');
    expect(call('fd_read', 0, 0, 2, 100)).toBe(0);
    expect(view.getUint32(100, true)).toBe(0);
  });

  it('gives arguments in UTF-8 and an empty environment', async () => {
    const { call, view, bytes } = await world();
    expect(call('args_sizes_get', 0, 4)).toBe(0);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([2, 15]);
    expect(call('args_get', 16, 64)).toBe(0);
    expect(Buffer.from(bytes.subarray(64, 79)).toString()).toBe('main.wasm\0ä b\0');
    expect(view.getUint32(20, true)).toBe(74);
    expect(call('environ_sizes_get', 0, 4)).toBe(0);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([0, 0]);
  });

  it('starts its clock at the logged start, steps it by a constant and lets sleeps pass at once', async () => {
    const { call, view } = await world();
    const realtime = (): bigint => {
      expect(call('clock_time_get', 0, 1n, 0)).toBe(0);
      return view.getBigUint64(0, true);
    };
    const start = BigInt(BASE_MS) * 1_000_000n;
    expect([realtime() - start, realtime() - start]).toEqual([1_000_000n, 2_000_000n]);
    expect(call('clock_time_get', 4, 1n, 0)).toBe(ERRNO.inval);

    view.setUint32(1000 + 16, 1, true);
    view.setBigUint64(1000 + 24, 5_000_000_000n, true);
    view.setBigUint64(1000, 42n, true);
    expect(call('poll_oneoff', 1000, 2000, 1, 3000)).toBe(0);
    expect(view.getUint32(3000, true)).toBe(1);
    expect(view.getBigUint64(2000, true)).toBe(42n);
    expect(realtime() - start).toBe(5_004_000_000n);
    expect(call('poll_oneoff', 1000, 2000, 0, 3000)).toBe(ERRNO.inval);
  });

  it('expands its seed to the AES-256-CTR key stream, however it is asked for', () => {
    const expand = (sizes: number[]): Buffer => {
      const fill = seededRandom('00'.repeat(32));
      return Buffer.concat(
        sizes.map((size) => {
          const piece = new Uint8Array(size).fill(0xff);
          fill(piece);
          return piece;
        }),
      );
    };
    // First two blocks of AES-256 under the zero key: encryptions of the counters 0 and 1.
    expect(expand([32]).toString('hex')).toBe(
      'dc95c078a2408989ad48a21492842087530f8afbc74536b9a963b4f1c4cb738b',
    );
    expect(expand([1, 70_000, 7])).toEqual(expand([70_008]));
  });

  it('ends the run at proc_exit, with the code as an unsigned number', async () => {
    const { call, wasi } = await world();
    expect(() => call('proc_exit', -1)).toThrow(EndSignal);
    expect(wasi.exitCode()).toBe(4_294_967_295);
  });

  it('has each call, each piece and each byte paid before it answers, and ends the run of who cannot pay', async () => {
    const { call, view, paid } = await world();
    call('sched_yield');
    expect(paid).toEqual([1000]);
    paid.length = 0;
    call('random_get', 1000, 300);
    expect(paid).toEqual([1000, 150]);
    paid.length = 0;
    view.setUint32(0, 1000, true);
    view.setUint32(4, 41, true);
    call('fd_write', 1, 0, 1, 100);
    expect(paid).toEqual([1000, 500, 21]);
    paid.length = 0;
    call('fd_read', 0, 0, 1, 100);
    // Five bytes of input came, of 41 that were asked for.
    expect(paid).toEqual([1000, 500, 3]);

    const poor = await world('input', 2000);
    expect(() => poor.call('random_get', 0, 65_536)).toThrow(expect.objectContaining({ end: 'fuel' }));
    expect(poor.bytes.every((byte) => byte === 0)).toBe(true);
  });
});
