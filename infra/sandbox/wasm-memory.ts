/** The memories that a module declares, read from its binary: the JavaScript interface does not tell their sizes. */

export interface DeclaredMemory {
  /** 64 KiB pages. */
  readonly minimumPages: number;
  readonly maximumPages: number | null;
  readonly shared: boolean;
  readonly is64: boolean;
}

const MEMORY_SECTION = 5;
const HEADER_SIZE = 8;
const HAS_MAXIMUM = 1;
const SHARED = 2;
const IS_64 = 4;

/** An unsigned LEB128 number; null when it is cut off or beyond 2^53. */
const readLeb = (bytes: Uint8Array, at: number): { value: number; next: number } | null => {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 128 ** index;
    if (!Number.isSafeInteger(value)) return null;
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return null;
};

const readMemories = (bytes: Uint8Array, start: number): DeclaredMemory[] | null => {
  const count = readLeb(bytes, start);
  if (!count) return null;
  const memories: DeclaredMemory[] = [];
  let at = count.next;
  for (let index = 0; index < count.value; index++) {
    const flags = bytes[at];
    const minimum = readLeb(bytes, at + 1);
    if (flags === undefined || flags > 7 || !minimum) return null;
    const maximum = flags & HAS_MAXIMUM ? readLeb(bytes, minimum.next) : { value: null, next: minimum.next };
    if (!maximum) return null;
    memories.push({
      minimumPages: minimum.value,
      maximumPages: maximum.value,
      shared: (flags & SHARED) !== 0,
      is64: (flags & IS_64) !== 0,
    });
    at = maximum.next;
  }
  return memories;
};

/** Memories of the module's own; null when the sections cannot be followed or use a form unknown here. */
export const declaredMemories = (wasm: Uint8Array): DeclaredMemory[] | null => {
  let at = HEADER_SIZE;
  while (at < wasm.length) {
    const size = readLeb(wasm, at + 1);
    if (!size) return null;
    if (wasm[at] === MEMORY_SECTION) return readMemories(wasm, size.next);
    at = size.next + size.value;
  }
  return at === wasm.length ? [] : null;
};

/** 64 KiB pages in a MiB. */
const PAGES_PER_MB = 16;

/** MiB of memory that a module starts with, rounded up: no enclave with less can run it. */
export const startingMemoryMb = (wasm: Uint8Array): number =>
  Math.ceil((declaredMemories(wasm)?.[0]?.minimumPages ?? 0) / PAGES_PER_MB);
