import { LARGE_FUEL, UNPAID_FUEL } from './costs.ts';
import { CALL, EDIT, type Edits } from './edits.ts';
import type { FunctionPlan } from './function-plan.ts';
import type { Added } from './helpers.ts';
import { type FunctionType, VALUE } from './module.ts';
import { OP } from './opcodes.ts';
import type { Output } from './output.ts';
import type { FunctionReading } from './read-function.ts';

const VOID = 0x40;

/** Canonical NaNs, little-endian, and the temporaries that they need, by kind: f32, f64, f32x4, f64x2. */
const NAN_32 = [0, 0, 0xc0, 0x7f];
const NAN_64 = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const TEMPORARIES = [VALUE.f32, VALUE.f64, VALUE.v128, VALUE.v128] as const;
/** `f32x4.eq` and `f64x2.eq`. */
const VECTOR_EQ = [65, 71] as const;
const V128_CONST = 12;
const V128_BITSELECT = 82;

/** Indices of the locals that metering adds to a function; −1 where it needs none. */
interface AddedLocals {
  /** i32: fuel that the function has used and not paid. Without it, each block pays at once. */
  readonly unpaid: number;
  /** i64: what is left of the fuel, while that is looked at. */
  readonly left: number;
  /** i32: what is left of the stack with the function's frame. */
  readonly stack: number;
  /** By kind of value. */
  readonly temporaries: readonly number[];
}

export interface Metered {
  readonly type: FunctionType;
  readonly reading: FunctionReading;
  readonly plan: FunctionPlan;
  readonly added: Added;
  /** Type index of a function without parameters and with these results, for more than one. */
  readonly blockType: (results: readonly number[]) => number;
}

/** Whether a function adds up what it uses: one with a loop, or with more than one block that costs something. */
const addsUp = ({ loops, entryCost, edits }: FunctionReading): boolean => {
  const { kinds, values } = edits;
  const blocks = kinds.filter((kind, at) => kind === EDIT.charge && (values[at] as number) > 0).length;
  return loops || blocks + (entryCost > 0 ? 1 : 0) > 1;
};

const addLocals = ({ reading, plan }: Metered): { locals: AddedLocals; types: number[] } => {
  const types: number[] = [];
  const add = (type: number): number => reading.localTypes.length + types.push(type) - 1;
  const unpaid = addsUp(reading) ? add(VALUE.i32) : -1;
  const left = unpaid < 0 && plan.checked ? add(VALUE.i64) : -1;
  const stack = plan.frame === null ? -1 : add(VALUE.i32);
  const kinds = new Set(reading.edits.canonical.values());
  const byType = new Map<number, number>();
  const temporaries = TEMPORARIES.map((type, kind) => {
    if (!kinds.has(kind)) return -1;
    const known = byType.get(type) ?? add(type);
    byType.set(type, known);
    return known;
  });
  return { locals: { unpaid, left, stack, temporaries }, types };
};

/** Writes one function: what was read of it, with what its plan puts in. */
class FunctionWriter {
  private readonly out: Output;
  private readonly metered: Metered;
  private readonly locals: AddedLocals;

  constructor(out: Output, metered: Metered, locals: AddedLocals) {
    this.out = out;
    this.metered = metered;
    this.locals = locals;
  }

  /** Whether the body becomes a block, so that every way out of the function passes what is behind it. */
  private get wrapped(): boolean {
    return this.locals.unpaid >= 0;
  }

  prologue(): void {
    const { out, locals, metered } = this;
    const { plan, reading, type, added } = metered;
    if (plan.frame !== null) this.enterFrame(plan.frame);
    if (!this.wrapped) return this.payNow(reading.entryCost, this.checks(reading.entryCost));
    if (plan.checked) {
      out.byte(OP.globalGet).u32(added.fuel);
      this.stopBelowZero();
    }
    if (reading.entryCost > 0)
      out.byte(OP.i32Const).signed(reading.entryCost).byte(OP.localSet).u32(locals.unpaid);
    out.byte(OP.block);
    const { results } = type;
    if (results.length > 1) out.signed(metered.blockType(results));
    else out.byte(results[0] ?? VOID);
  }

  /** Offsets in the body of branches that are hardly ever taken, except those that end the run: engines know these. */
  readonly unlikely: number[] = [];

  /** Opens an `if` for what hardly ever happens. */
  private ifRarely(): Output {
    this.unlikely.push(this.out.length);
    return this.out.byte(OP.if).byte(VOID);
  }

  /** Behind the block that the body has become. */
  epilogue(): void {
    if (!this.wrapped) return;
    this.payUp();
    this.out.byte(OP.end);
  }

  /** Whether a block of this cost ends the run when no fuel is left. A prepaid function does where it pays for others. */
  private checks(cost: number): boolean {
    const { checked, prepaid } = this.metered.plan;
    return checked && (prepaid === null || cost > 0);
  }

  /** Takes what is left of the fuel from the stack and ends the run where it is below zero. */
  private stopBelowZero(): void {
    const { out, metered } = this;
    out.byte(OP.i64Const).signed(0).byte(OP.i64LtS);
    out.byte(OP.if).byte(VOID);
    out.byte(OP.call).u32(metered.added.exhausted).byte(OP.unreachable).byte(OP.end);
  }

  private payNow(cost: number, checked: boolean): void {
    const { out, locals, metered } = this;
    const { fuel } = metered.added;
    if (cost > 0) {
      out.byte(OP.globalGet).u32(fuel).byte(OP.i64Const).signed(cost).byte(OP.i64Sub);
      if (checked) out.byte(OP.localTee).u32(locals.left);
      out.byte(OP.globalSet).u32(fuel);
      if (checked) out.byte(OP.localGet).u32(locals.left);
    } else if (checked) out.byte(OP.globalGet).u32(fuel);
    if (checked) this.stopBelowZero();
  }

  /** Pays what has been added up, without asking whether that much was left. */
  private payUp(): void {
    if (!this.wrapped) return;
    const { out, locals, metered } = this;
    const { fuel } = metered.added;
    out.byte(OP.globalGet).u32(fuel).byte(OP.localGet).u32(locals.unpaid).byte(OP.i64ExtendI32U);
    out.byte(OP.i64Sub).byte(OP.globalSet).u32(fuel);
  }

  private forget(): void {
    this.out.byte(OP.i32Const).signed(0).byte(OP.localSet).u32(this.locals.unpaid);
  }

  private enterFrame(frame: number): void {
    const { out, locals, metered } = this;
    const { stack, overflow } = metered.added;
    out.byte(OP.globalGet).u32(stack).byte(OP.i32Const).signed(frame).byte(OP.i32Sub);
    out.byte(OP.localTee).u32(locals.stack).byte(OP.i32Const).signed(0).byte(OP.i32LtS);
    out.byte(OP.if).byte(VOID).byte(OP.call).u32(overflow).byte(OP.unreachable).byte(OP.end);
  }

  /** Before a tail call: the caller's view of the stack is the callee's. */
  private leave(): void {
    const { out, locals, metered } = this;
    this.payUp();
    if (metered.plan.frame === null) return;
    out.byte(OP.localGet).u32(locals.stack).byte(OP.i32Const).signed(metered.plan.frame).byte(OP.i32Add);
    out.byte(OP.globalSet).u32(metered.added.stack);
  }

  private beforeCall(kind: number): void {
    const { out, locals, metered } = this;
    if (this.wrapped && (kind === CALL.wasi || metered.reading.cost > LARGE_FUEL)) {
      this.payUp();
      this.forget();
    }
    // What was called before may have left its own depth there.
    if (kind === CALL.counted && locals.stack >= 0)
      out.byte(OP.localGet).u32(locals.stack).byte(OP.globalSet).u32(metered.added.stack);
  }

  private charge(cost: number, loop: boolean): void {
    const { out, locals, metered } = this;
    if (!this.wrapped) return this.payNow(cost, metered.plan.prepaid !== null && this.checks(cost));
    if (cost === 0 && !loop) return;
    out.byte(OP.localGet).u32(locals.unpaid);
    if (cost > 0) out.byte(OP.i32Const).signed(cost).byte(OP.i32Add);
    if (!loop) return void out.byte(OP.localSet).u32(locals.unpaid);
    out.byte(OP.localTee).u32(locals.unpaid).byte(OP.i32Const).signed(UNPAID_FUEL).byte(OP.i32GtU);
    this.ifRarely().byte(OP.localGet).u32(locals.unpaid).byte(OP.call).u32(metered.added.pay);
    out.byte(OP.localSet).u32(locals.unpaid).byte(OP.end);
  }

  /** A NaN becomes the canonical one; for vectors lane by lane. */
  canonical(kind: number): void {
    const { out } = this;
    const temporary = this.locals.temporaries[kind] as number;
    const get = (): Output => out.byte(OP.localGet).u32(temporary);
    out.byte(OP.localTee).u32(temporary);
    if (kind < 2) {
      get().byte(kind === 0 ? OP.f32Ne : OP.f64Ne);
      this.ifRarely();
      if (kind === 0) out.byte(OP.f32Const).bytes(NAN_32);
      else out.byte(OP.f64Const).bytes(NAN_64);
      out.byte(OP.localSet).u32(temporary).byte(OP.end);
      get();
      return;
    }
    const lane = kind === 2 ? NAN_32 : NAN_64;
    out.byte(OP.simd).u32(V128_CONST);
    for (let at = 0; at < 16; at += lane.length) out.bytes(lane);
    get();
    get()
      .byte(OP.simd)
      .u32(VECTOR_EQ[kind - 2] as number)
      .byte(OP.simd)
      .u32(V128_BITSELECT);
  }

  /** Writes what an edit puts in; answers with how many bytes of the original it replaces. */
  edit({ kinds, values }: Edits, at: number): number {
    const { out, metered } = this;
    const value = values[at] as number;
    switch (kinds[at]) {
      case EDIT.charge:
        this.charge(value, false);
        return 0;
      case EDIT.loop:
        this.charge(value, true);
        return 0;
      case EDIT.call:
        this.beforeCall(value);
        return 0;
      case EDIT.leave:
        this.leave();
        return 0;
      case EDIT.return:
        if (!this.wrapped) return 0;
        out.byte(OP.br).u32(value);
        return 1;
      case EDIT.grow:
        out.byte(OP.call).u32(metered.added.grow);
        return value;
      case EDIT.bytes:
        out.byte(OP.call).u32(metered.added.bytes);
        return 0;
      case EDIT.entries:
        out.byte(OP.call).u32(metered.added.entries);
        return 0;
      default:
        throw new Error('an edit of an unknown kind');
    }
  }
}

/**
 * Writes the body of a function, from its count of locals to its last `end`, which `source` has up to offset `end`.
 * @returns the offsets in the body of branches that are hardly ever taken.
 */
export const writeFunction = (
  out: Output,
  source: Uint8Array,
  end: number,
  metered: Metered,
): readonly number[] => {
  const { reading } = metered;
  const { edits, start } = reading;
  const { locals, types } = addLocals(metered);
  writeLocals(out, reading.localTypes.slice(metered.type.params.length), types);
  const writer = new FunctionWriter(out, metered, locals);
  writer.prologue();
  const places = [...edits.canonical].sort(([a], [b]) => a - b);
  let [at, place] = [start, 0];
  const canonicalUpTo = (offset: number): void => {
    for (; place < places.length; place++) {
      const [where, kind] = places[place] as [number, number];
      if (where > offset) return;
      out.copy(source, at, where);
      at = where;
      writer.canonical(kind);
    }
  };
  for (let index = 0; index < edits.offsets.length; index++) {
    const offset = edits.offsets[index] as number;
    canonicalUpTo(offset);
    out.copy(source, at, offset);
    at = offset + writer.edit(edits, index);
  }
  canonicalUpTo(end);
  out.copy(source, at, end);
  writer.epilogue();
  return writer.unlikely;
};

const writeLocals = (out: Output, own: readonly number[], added: readonly number[]): void => {
  const groups: { type: number; count: number }[] = [];
  for (const type of [...own, ...added]) {
    const last = groups.at(-1);
    if (last?.type === type) last.count += 1;
    else groups.push({ type, count: 1 });
  }
  out.u32(groups.length);
  for (const { type, count } of groups) out.u32(count).byte(type);
};
