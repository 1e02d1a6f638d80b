/**
 * The operand stack of a function while it is read: how deep it is, and which of its floats have a NaN whose bits the
 * processor chose. Such a value is made canonical only where its bits can be seen: in memory, in a call, a global, a
 * block's result, or as an integer. What only flows from arithmetic to arithmetic is left alone, which is most.
 */

/** A value whose bits are settled: no float, or one from memory, a parameter, a call. A NaN in it is the program's. */
export const SETTLED = -1;
/** A float that is no NaN. */
export const NUMBER = -2;

/** Where canonical NaNs have to be put in: by the offset behind the instruction that made the value. */
export type Canonical = Map<number, number>;

export class Operands {
  private readonly values: number[] = [];
  private readonly canonical: Canonical;
  /** Height at the beginning of the innermost block: code that is never reached may pop more than there is. */
  base = 0;
  deepest = 0;

  constructor(canonical: Canonical) {
    this.canonical = canonical;
  }

  get height(): number {
    return this.values.length;
  }

  /** `value`: SETTLED, NUMBER, or the float that the instruction before offset `value >> 1` made (bit 0: 64 bits wide). */
  push(value: number): void {
    this.values.push(value);
    if (this.values.length > this.deepest) this.deepest = this.values.length;
  }

  pop(): number {
    return this.values.length > this.base ? (this.values.pop() as number) : SETTLED;
  }

  /** The bits of `value` can be seen from here on. */
  observe(value: number): void {
    if (value >= 0) this.canonical.set(value >> 1, value & 1);
  }

  popObserved(count: number): void {
    for (let index = 0; index < count; index++) this.observe(this.pop());
  }

  /** The upper `count` values stay, but somebody else sees them as well. */
  settle(count: number): void {
    const { values, base } = this;
    for (let at = Math.max(base, values.length - count); at < values.length; at++) {
      this.observe(values[at] as number);
      values[at] = SETTLED;
    }
  }

  pushSettled(count: number): void {
    for (let index = 0; index < count; index++) this.push(SETTLED);
  }

  cut(height: number): void {
    if (this.values.length > height) this.values.length = height;
  }
}
