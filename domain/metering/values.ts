import type { FloatLocals } from './floats.ts';
import { VALUE } from './module.ts';
import { NUMBER, type Operands, SETTLED } from './operands.ts';

/** What reading and writing locals and choosing between values does to NaNs that are not settled. */
export class Values {
  private readonly operands: Operands;
  private readonly floats: FloatLocals | null;
  private readonly types: readonly number[];

  /** `types`: those of parameters and locals; `floats` null: NaNs are left out. */
  constructor(operands: Operands, floats: FloatLocals | null, types: readonly number[]) {
    this.operands = operands;
    this.floats = floats;
    this.types = types;
  }

  /** The result of an instruction that ends at offset `at` is a float whose NaN is not settled; `wide` 1: an f64. */
  pushMade(at: number, wide: number): void {
    this.operands.push(at * 2 + wide);
  }

  getLocal(local: number, at: number): void {
    if (this.floats?.isArithmetic(local)) this.pushMade(at, this.types[local] === VALUE.f64 ? 1 : 0);
    else this.operands.push(SETTLED);
  }

  /** `dead`: the code is never reached, so nothing is put into the local. */
  setLocal(local: number, value: number, dead: boolean): void {
    if (this.floats?.isArithmetic(local)) {
      if (value === SETTLED && !dead) this.floats.settle(local);
    } else this.operands.observe(value);
  }

  teeLocal(local: number, at: number, dead: boolean): void {
    const value = this.operands.pop();
    this.setLocal(local, value, dead);
    if (value >= 0 && this.floats?.isArithmetic(local)) this.pushMade(at, value & 1);
    else this.operands.push(value === NUMBER ? NUMBER : SETTLED);
  }

  select(at: number): void {
    const { operands } = this;
    operands.popObserved(1);
    const [a, b] = [operands.pop(), operands.pop()];
    // Of a settled and an unsettled value the second has to be settled as well.
    if (a !== SETTLED && b !== SETTLED) {
      const made = Math.max(a, b);
      return made >= 0 ? this.pushMade(at, made & 1) : operands.push(NUMBER);
    }
    operands.observe(a);
    operands.observe(b);
    operands.push(SETTLED);
  }
}
