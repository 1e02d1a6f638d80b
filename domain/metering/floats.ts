import { VALUE } from './module.ts';

/**
 * Which float locals hold nothing but what arithmetic made. Reading one gives a value whose NaN is not settled; every
 * other local holds settled bits, and what is put into it is made canonical first.
 *
 * A local counts as arithmetic until something else is put into it, which may show that others are not arithmetic either:
 * the function is read again until nothing changes. After `MOST_ROUNDS` all of them are taken as settled, which is
 * always right and bounds the work.
 */
export class FloatLocals {
  private readonly arithmetic: Uint8Array;
  private rounds = 0;
  private changed = false;

  /** `types`: those of parameters and locals; a parameter is what the caller settled. */
  constructor(types: readonly number[], parameters: number) {
    this.arithmetic = Uint8Array.from(types, (type, index) =>
      index >= parameters && (type === VALUE.f32 || type === VALUE.f64) ? 1 : 0,
    );
  }

  isArithmetic(local: number): boolean {
    return this.arithmetic[local] === 1;
  }

  /** Something that arithmetic did not make is put into `local`. */
  settle(local: number): void {
    if (this.arithmetic[local] === 0) return;
    this.arithmetic[local] = 0;
    this.changed = true;
  }

  /** Whether the function has to be read again. */
  again(): boolean {
    if (!this.changed) return false;
    this.changed = false;
    this.rounds += 1;
    if (this.rounds >= MOST_ROUNDS) this.arithmetic.fill(0);
    return true;
  }
}

const MOST_ROUNDS = 4;
