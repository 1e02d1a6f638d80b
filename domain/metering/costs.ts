/**
 * What metering counts. Every constant here decides what a run is worth and where it ends, so a change of any of them,
 * or of what the instrumenter emits, is a new version: two nodes agree on an outcome only under the same one.
 */
export const METERING_VERSION = 1;

/**
 * Fuel of an instruction, by class. Structure (block, loop, else, end, nop) is free: it is no machine code. The ratios
 * follow the latencies of the instructions that a WebAssembly instruction becomes on current 64-bit processors, in
 * rough steps; they keep the time of one unit of fuel within an order of magnitude, which is what limits need.
 */
export const COST = {
  /** Constants, locals, drop: registers, mostly. */
  name: 1,
  plain: 2,
  memory: 4,
  /** Integer division and remainder. */
  divide: 16,
  /** Float division and square root. */
  slowFloat: 12,
  call: 12,
  indirectCall: 20,
  /** memory.copy, table.fill …: the call of the runtime, before its size is counted. */
  bulk: 40,
  /** memory.grow and table.grow, before their size is counted: the runtime makes new objects. */
  grow: 5000,
} as const;

/** A page of 64 KiB that is new: the system has to clear it. */
export const PAGE_FUEL = 8192;
/** A byte of the module, which has to be read, checked and, as far as it runs, compiled. */
export const COMPILED_BYTE_FUEL = 8;
/** memory.copy, memory.fill, memory.init: bytes for one unit, as a power of two. */
export const BULK_BYTES_SHIFT = 3;
/** table.copy, table.fill, table.init, table.grow: fuel of one entry, as a power of two. */
export const TABLE_ENTRY_SHIFT = 2;

/** A WASI call, and the bytes that one more unit of its fuel moves. */
export const WASI_CALL_FUEL = 1000;
export const WASI_BYTES_PER_FUEL = 2;

/**
 * A function with several blocks adds up what it uses in a register, and pays when it ends, when it calls WASI, and in a
 * loop whenever so much has come together. A run that traps does not pay what its functions have not paid yet.
 */
export const UNPAID_FUEL = 4096;
/** A function whose instructions cost more than this together also pays before each call. */
export const LARGE_FUEL = 16_384;
/** Most that a function without loop and recursion, with all it calls, may cost without asking whether fuel is left. */
export const UNCHECKED_FUEL = 1024;
/** Most that all instructions of a function without loop may cost for its callers to pay them, all at once. */
export const PREPAID_FUEL = 80;

/**
 * Stack that a run may use, in bytes as counted here: a frame is `FRAME_BYTES`, and `SLOT_BYTES` for each parameter,
 * local and operand of the deepest point. V8's own frames are smaller or larger by a small factor, depending on the
 * tier; the real stack is `REAL_STACK_MB`, so that this count always ends a run first.
 */
export const STACK_BYTES = 2 * 1024 * 1024;
export const FRAME_BYTES = 48;
export const SLOT_BYTES = 8;
export const REAL_STACK_MB = 64;

/** Most functions of a module: what is remembered of each while the module is instrumented takes about a kilobyte. */
export const MOST_FUNCTIONS = 200_000;
/** Longest body of a function: the optimising compiler's memory and time grow with it. */
export const MOST_BODY_BYTES = 1024 * 1024;

/** Entries that all tables of a module may have together. */
export const TABLE_ENTRIES = 1_000_000;
