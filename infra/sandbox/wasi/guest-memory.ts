import { ERRNO } from './abi.ts';

/** A call that ends with an error number in the guest; never leaves the shim. */
export class GuestError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`WASI errno ${errno}`);
    this.errno = errno;
  }
}

/**
 * The guest's linear memory with every access checked. Pointers and lengths come from the guest as signed 32-bit numbers
 * and are read as unsigned. Views are taken anew at each call: growing the memory detaches older ones.
 */
export interface GuestMemory {
  /** A live view of `length` bytes at `pointer`. @throws GuestError EFAULT when any of it lies outside. */
  bytes(pointer: number, length: number): Uint8Array;
  u16(pointer: number, value: number): void;
  u32(pointer: number, value: number): void;
  u64(pointer: number, value: bigint): void;
  readU8(pointer: number): number;
  readU16(pointer: number): number;
  readU32(pointer: number): number;
  readU64(pointer: number): bigint;
}

/** `current` answers null while the module is still being instantiated: it has no memory to write to then. */
export const guestMemory = (current: () => WebAssembly.Memory | null): GuestMemory => {
  const view = (pointer: number, length: number): DataView => {
    const memory = current();
    const start = pointer >>> 0;
    if (memory === null || start + length > memory.buffer.byteLength) throw new GuestError(ERRNO.fault);
    return new DataView(memory.buffer, start, length);
  };
  return {
    bytes: (pointer, length) => {
      const { buffer, byteOffset, byteLength } = view(pointer, length >>> 0);
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    u16: (pointer, value) => view(pointer, 2).setUint16(0, value, true),
    u32: (pointer, value) => view(pointer, 4).setUint32(0, value, true),
    u64: (pointer, value) => view(pointer, 8).setBigUint64(0, value, true),
    readU8: (pointer) => view(pointer, 1).getUint8(0),
    readU16: (pointer) => view(pointer, 2).getUint16(0, true),
    readU32: (pointer) => view(pointer, 4).getUint32(0, true),
    readU64: (pointer) => view(pointer, 8).getBigUint64(0, true),
  };
};
