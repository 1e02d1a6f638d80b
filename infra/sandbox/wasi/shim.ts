import { WASI_BYTES_PER_FUEL, WASI_CALL_FUEL } from '../../../domain/metering/costs.ts';
import { PREVIEW1_FUNCTIONS, type Preview1Function } from '../../../domain/metering/preview1.ts';
import { ERRNO, STDERR, STDIN, STDOUT } from './abi.ts';
import { GuestError, guestMemory } from './guest-memory.ts';
import { pollOneoff } from './poll.ts';
import { STEP_NS, type VirtualClock } from './virtual-clock.ts';

/** What a module may see of the world: nothing else exists for it. */
export interface WasiWorld {
  /** With the program name first. */
  readonly args: readonly string[];
  readonly stdin: Uint8Array;
  readonly clock: VirtualClock;
  readonly fillRandom: (target: Uint8Array) => void;
  /** Takes a copy. False: there is no room for more, which ends the run. */
  readonly writeStdout: (bytes: Uint8Array) => boolean;
  readonly writeStderr: (bytes: Uint8Array) => void;
  /** Takes fuel for a call before it is answered. False: there was not enough, which ends the run. */
  readonly pay: (fuel: number) => boolean;
}

/** Why the shim ends a run: the module asked for it, wrote too much, or cannot pay for a call. */
export type RunEnd = 'exit' | 'output' | 'fuel';

/** Unwinds the guest. Nothing in a module can catch it: exceptions are refused. */
export class EndSignal extends Error {
  readonly end: RunEnd;
  constructor(end: RunEnd) {
    super(end);
    this.end = end;
  }
}

export interface Wasi {
  readonly imports: Record<string, (...args: never[]) => number>;
  /** Gives the shim the instance's memory. */
  attach(memory: WebAssembly.Memory): void;
  /** The code given to proc_exit, or null. */
  exitCode(): number | null;
}

type Call = (...args: number[]) => number;

/** As POSIX's IOV_MAX: bounds the work of one call. */
const MOST_VECTORS = 1024;
/** A vector of a read or a write, or a subscription of a poll. */
const VECTOR_FUEL = 500;

const sizeOf = (pieces: readonly Uint8Array[]): number =>
  pieces.reduce((sum, piece) => sum + piece.length, 0);

const RIGHT_READ = 1n << 1n;
const RIGHT_WRITE = 1n << 6n;
const RIGHT_POLL = 1n << 27n;

const isStandard = (fd: number): boolean => fd >= STDIN && fd <= STDERR;

/**
 * An own WASI preview 1: standard streams, arguments, a virtual clock, seeded randomness and exit. Every other function
 * exists and answers ENOTCAPABLE, or EBADF where it names a descriptor that is not open. Each call costs fuel, and so
 * does each byte and each piece that it moves.
 */
export const createWasi = (world: WasiWorld): Wasi => {
  let attached: WebAssembly.Memory | null = null;
  let code: number | null = null;
  let stdinAt = 0;
  const memory = guestMemory(() => attached);
  const args = world.args.map((arg) => new TextEncoder().encode(`${arg}\0`));

  const pay = (fuel: number): void => {
    if (!world.pay(Math.ceil(fuel))) throw new EndSignal('fuel');
  };
  const payBytes = (bytes: number): void => pay(bytes / WASI_BYTES_PER_FUEL);
  const vectors = (at: number, count: number): Uint8Array[] => {
    if (count < 0 || count > MOST_VECTORS) throw new GuestError(ERRNO.inval);
    pay(count * VECTOR_FUEL);
    return Array.from({ length: count }, (_, index) =>
      memory.bytes(memory.readU32(at + index * 8), memory.readU32(at + index * 8 + 4)),
    );
  };
  const refuse =
    (errno: number): Call =>
    () =>
      errno;
  /** For calls on a descriptor: `answer` for the standard streams, EBADF for all others. */
  const onStandard =
    (answer: (fd: number, ...rest: number[]) => number): Call =>
    (fd = -1, ...rest) =>
      isStandard(fd) ? answer(fd, ...rest) : ERRNO.badf;

  const calls: Partial<Record<Preview1Function, Call>> = {
    args_sizes_get: (count = 0, size = 0) => {
      memory.u32(count, args.length);
      memory.u32(size, sizeOf(args));
      return ERRNO.success;
    },
    args_get: (pointers = 0, buffer = 0) => {
      payBytes(sizeOf(args));
      let at = buffer;
      for (const [index, arg] of args.entries()) {
        memory.u32(pointers + index * 4, at);
        memory.bytes(at, arg.length).set(arg);
        at += arg.length;
      }
      return ERRNO.success;
    },
    environ_sizes_get: (count = 0, size = 0) => {
      memory.u32(count, 0);
      memory.u32(size, 0);
      return ERRNO.success;
    },
    environ_get: refuse(ERRNO.success),
    clock_res_get: (id = -1, result = 0) => {
      if (world.clock.read(id) === null) return ERRNO.inval;
      memory.u64(result, STEP_NS);
      return ERRNO.success;
    },
    // Its second argument, the precision, is a 64-bit number.
    clock_time_get: (id = -1, _precision = 0, result = 0) => {
      const instant = world.clock.read(id);
      if (instant === null) return ERRNO.inval;
      memory.u64(result, BigInt.asUintN(64, instant));
      return ERRNO.success;
    },
    random_get: (buffer = 0, length = 0) => {
      const target = memory.bytes(buffer, length);
      payBytes(target.length);
      world.fillRandom(target);
      return ERRNO.success;
    },
    sched_yield: refuse(ERRNO.success),
    poll_oneoff: (...given) => pollOneoff(memory, world.clock, given, (count) => pay(count * VECTOR_FUEL)),
    proc_exit: (given = 0) => {
      code = given >>> 0;
      throw new EndSignal('exit');
    },
    fd_read: (fd = -1, at = 0, count = 0, read = 0) => {
      if (fd !== STDIN) return isStandard(fd) ? ERRNO.notcapable : ERRNO.badf;
      const start = stdinAt;
      for (const target of vectors(at, count)) {
        const piece = world.stdin.subarray(stdinAt, stdinAt + target.length);
        payBytes(piece.length);
        target.set(piece);
        stdinAt += piece.length;
      }
      memory.u32(read, stdinAt - start);
      return ERRNO.success;
    },
    fd_write: (fd = -1, at = 0, count = 0, written = 0) => {
      if (fd !== STDOUT && fd !== STDERR) return isStandard(fd) ? ERRNO.notcapable : ERRNO.badf;
      const pieces = vectors(at, count);
      payBytes(sizeOf(pieces));
      for (const piece of pieces) {
        if (fd === STDERR) world.writeStderr(piece);
        else if (!world.writeStdout(piece)) throw new EndSignal('output');
      }
      memory.u32(written, sizeOf(pieces));
      return ERRNO.success;
    },
    fd_fdstat_get: onStandard((fd, result = 0) => {
      memory.bytes(result, 24).fill(0);
      memory.u64(result + 8, (fd === STDIN ? RIGHT_READ : RIGHT_WRITE) | RIGHT_POLL);
      return ERRNO.success;
    }),
    fd_fdstat_set_flags: onStandard(refuse(ERRNO.success)),
    fd_filestat_get: onStandard((_fd, result = 0) => {
      memory.bytes(result, 64).fill(0);
      return ERRNO.success;
    }),
    fd_close: onStandard(refuse(ERRNO.success)),
    fd_seek: onStandard(refuse(ERRNO.spipe)),
    fd_tell: onStandard(refuse(ERRNO.spipe)),
    // A runtime looks for preopened directories from descriptor 3 on until EBADF: there are none.
    fd_prestat_get: refuse(ERRNO.badf),
    fd_prestat_dir_name: refuse(ERRNO.badf),
  };

  const guarded =
    (call: Call): Call =>
    (...given) => {
      pay(WASI_CALL_FUEL);
      try {
        return call(...given);
      } catch (error) {
        if (error instanceof GuestError) return error.errno;
        throw error;
      }
    };

  return {
    imports: Object.fromEntries(
      PREVIEW1_FUNCTIONS.map((name) => [name, guarded(calls[name] ?? refuse(ERRNO.notcapable))]),
    ),
    attach: (given) => {
      attached = given;
    },
    exitCode: () => code,
  };
};
