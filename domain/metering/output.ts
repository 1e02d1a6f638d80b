/** Writes a part of a WebAssembly binary. */
export class Output {
  private buffer: Uint8Array;
  private size = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
  }

  private reserve(count: number): void {
    if (this.size + count <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.size + count));
    larger.set(this.buffer.subarray(0, this.size));
    this.buffer = larger;
  }

  byte(value: number): this {
    this.reserve(1);
    this.buffer[this.size++] = value;
    return this;
  }

  bytes(values: Uint8Array | readonly number[]): this {
    this.reserve(values.length);
    this.buffer.set(values, this.size);
    this.size += values.length;
    return this;
  }

  /** Bytes `from` to `to` of another array. */
  copy(source: Uint8Array, from: number, to: number): this {
    return to > from ? this.bytes(source.subarray(from, to)) : this;
  }

  u32(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** A signed LEB128 number; `value` is a safe integer. */
  signed(value: number): this {
    let rest = value;
    for (;;) {
      const low = ((rest % 0x80) + 0x80) % 0x80;
      rest = Math.floor(rest / 0x80);
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).bytes(bytes);
  }

  /** A section or a function body: its size, then itself. */
  sized(part: Output): this {
    return this.u32(part.size).bytes(part.written());
  }

  /** What was written; valid until the next write. */
  written(): Uint8Array {
    return this.buffer.subarray(0, this.size);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.size;
  }

  clear(): this {
    this.size = 0;
    return this;
  }
}
