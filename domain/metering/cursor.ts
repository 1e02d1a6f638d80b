import { refuse } from './refusal.ts';

const CUT_OFF = 'a complete module';

/** Reads a part of a WebAssembly binary. Every read is checked against the part's end. @throws Refusal beyond it. */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) return refuse(CUT_OFF);
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 number of 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return refuse('numbers of at most 32 bits');
  }

  /** Passes over a LEB128 number of any width, signed or not. */
  skipLeb(): void {
    while (this.byte() >= 0x80);
  }

  /** A block type: an index of a type (0 or more), or a value type as the negative number that it is. */
  s33(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return byte & 0x40 ? value - 2 ** (shift + 7) : value;
    }
    return refuse('block types of at most 33 bits');
  }

  skip(count: number): void {
    if (count > this.end - this.at) refuse(CUT_OFF);
    this.at += count;
  }

  /** The next `size` bytes as a part of their own. */
  part(size: number): Cursor {
    const start = this.at;
    this.skip(size);
    return new Cursor(this.bytes, start, this.at);
  }

  /** The same part once more, to be read apart from this. */
  fork(): Cursor {
    return new Cursor(this.bytes, this.at, this.end);
  }

  /** A vector: its count, then each element by `read`. */
  list<T>(read: (cursor: Cursor) => T): T[] {
    const count = this.u32();
    const all: T[] = [];
    for (let index = 0; index < count; index++) all.push(read(this));
    return all;
  }

  name(): string {
    const { bytes, at, end } = this.part(this.u32());
    return new TextDecoder().decode(bytes.subarray(at, end));
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  slice(): Uint8Array {
    return this.bytes.subarray(this.at, this.end);
  }
}
