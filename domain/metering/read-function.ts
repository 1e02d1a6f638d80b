import type { Cursor } from './cursor.ts';
import { CALL, EDIT, Edits } from './edits.ts';
import { FloatLocals } from './floats.ts';
import { Flow } from './flow.ts';
import type { FunctionPlan } from './function-plan.ts';
import type { FunctionType } from './module.ts';
import { FLOAT, IMMEDIATE, OP, type OpcodeTable, PLAIN, PREFIXED, SIMD } from './opcodes.ts';
import { NUMBER, Operands, SETTLED } from './operands.ts';
import { refuse } from './refusal.ts';
import { Values } from './values.ts';

/** What a function's code refers to. */
export interface Scope {
  readonly types: readonly FunctionType[];
  /** Type of a function, imported ones first. */
  readonly typeOf: (index: number) => FunctionType;
  readonly importCount: number;
  /** How a function of the module's own is metered; null while that is not decided. */
  readonly planOf: (index: number) => FunctionPlan | null;
}

export interface FunctionReading {
  /** Parameters and locals. */
  readonly localTypes: readonly number[];
  /** Offset of the first instruction. */
  readonly start: number;
  readonly deepestOperands: number;
  /** Fuel of all its blocks together. */
  readonly cost: number;
  /** Fuel of the block that it begins with. */
  readonly entryCost: number;
  readonly loops: boolean;
  /** Functions called by index, one for each call, imported ones included. */
  readonly calls: readonly number[];
  /** Type indices of indirect calls. */
  readonly indirect: readonly number[];
  /** Functions whose reference it takes. */
  readonly taken: readonly number[];
  readonly edits: Edits;
}

/** Most locals that engines take; checked here as a count comes before what it counts. */
const MOST_LOCALS = 50_000;

const readLocals = (body: Cursor, params: readonly number[]): number[] => {
  const types = [...params];
  for (let groups = body.u32(); groups > 0; groups--) {
    const [count, type] = [body.u32(), body.byte()];
    if (types.length + count > MOST_LOCALS) refuse(`functions with at most ${MOST_LOCALS} locals`);
    for (let index = 0; index < count; index++) types.push(type);
  }
  return types;
};

/** Whether the float of `size` bytes at an offset is no number. */
const isNan = ({ buffer, byteOffset }: Uint8Array, at: number, size: 4 | 8): boolean => {
  const view = new DataView(buffer, byteOffset + at, size);
  return Number.isNaN(size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true));
};

interface Given {
  readonly localTypes: readonly number[];
  readonly results: number;
  readonly floats: FloatLocals | null;
  readonly prepaid: boolean;
}

/**
 * Reads a function's code once as validation does, counting operands instead of their types, and works out what has to
 * be put where. `body` is at the instructions; `floats` null: NaNs are left out, only the facts are wanted.
 */
class FunctionReader {
  readonly calls: number[] = [];
  readonly indirect: number[] = [];
  readonly taken: number[] = [];
  readonly edits = new Edits();
  readonly operands = new Operands(this.edits.canonical);
  readonly flow: Flow;
  private readonly values: Values;

  private readonly body: Cursor;
  private readonly scope: Scope;
  private readonly floats: FloatLocals | null;
  private readonly prepaid: boolean;

  constructor(body: Cursor, scope: Scope, given: Given) {
    this.body = body;
    this.scope = scope;
    this.floats = given.floats;
    this.prepaid = given.prepaid;
    this.flow = new Flow(body, this.edits, this.operands, given.results);
    this.values = new Values(this.operands, given.floats, given.localTypes);
  }

  read(): void {
    while (this.flow.depth > 0) this.instruction();
    if (!this.body.done) refuse('functions that end with their code');
  }

  /** Pays for an instruction of this function, unless its callers have. */
  private payOwn(cost: number): void {
    if (!this.prepaid) this.flow.pay(cost);
  }

  private instruction(): void {
    const { body } = this;
    const at = body.at;
    const opcode = body.byte();
    if (opcode === OP.prefixed) return this.prefixed(at, body.u32());
    if (opcode === OP.simd) return this.simd(body.u32());
    this.payOwn(PLAIN.cost[opcode] as number);
    if (PLAIN.immediate[opcode] === IMMEDIATE.special) return this.special(opcode, at);
    this.immediate(PLAIN.immediate[opcode] as number);
    this.regular(PLAIN, opcode);
  }

  private immediate(kind: number): void {
    const { body } = this;
    switch (kind) {
      case IMMEDIATE.none:
        return;
      case IMMEDIATE.index:
      case IMMEDIATE.leb:
        return body.skipLeb();
      case IMMEDIATE.twoIndices:
        body.skipLeb();
        return body.skipLeb();
      case IMMEDIATE.memory:
        return this.memoryArgument();
      case IMMEDIATE.memoryLane:
        this.memoryArgument();
        return body.skip(1);
      case IMMEDIATE.lane:
        return body.skip(1);
      case IMMEDIATE.sixteen:
        return body.skip(16);
      default:
        refuse('only instructions of WebAssembly 2.0 and tail calls');
    }
  }

  /** Bit 6 of the alignment would name another memory. */
  private memoryArgument(): void {
    if (this.body.u32() >= 64) refuse('declares exactly one memory, 32-bit and not shared');
    this.body.skipLeb();
  }

  /** An instruction whose operands are a matter of its row in the table. */
  private regular(table: OpcodeTable, opcode: number): void {
    const { operands } = this;
    const pops = table.pops[opcode] as number;
    const float = table.float[opcode] as number;
    if (float === FLOAT.observe || this.floats === null) {
      operands.popObserved(pops);
      operands.pushSettled(table.pushes[opcode] as number);
      return;
    }
    if (float === FLOAT.copysign) operands.popObserved(1);
    const first = operands.pop();
    if (pops === 2 && float !== FLOAT.copysign) operands.pop();
    switch (float) {
      case FLOAT.arith32:
      case FLOAT.arith64:
        return this.values.pushMade(this.body.at, float === FLOAT.arith64 ? 1 : 0);
      case FLOAT.keep:
      case FLOAT.copysign:
        return first >= 0 ? this.values.pushMade(this.body.at, first & 1) : operands.push(first);
      case FLOAT.number:
        return operands.push(NUMBER);
      default:
        operands.pushSettled(table.pushes[opcode] as number);
    }
  }

  private prefixed(at: number, opcode: number): void {
    const immediate = opcode < 256 ? (PREFIXED.immediate[opcode] as number) : IMMEDIATE.unknown;
    this.immediate(immediate);
    this.payOwn(PREFIXED.cost[opcode] as number);
    if (opcode === 8 || opcode === 10 || opcode === 11) this.edits.add(EDIT.bytes, at);
    if (opcode === 12 || opcode === 14 || opcode === 15 || opcode === 17) this.edits.add(EDIT.entries, at);
    this.regular(PREFIXED, opcode);
  }

  /** Vectors are always settled: an instruction on integers may look at any part of them. */
  private simd(opcode: number): void {
    const immediate = opcode < 256 ? (SIMD.immediate[opcode] as number) : IMMEDIATE.unknown;
    if (opcode >= 256) refuse('no relaxed SIMD');
    this.immediate(immediate);
    this.payOwn(SIMD.cost[opcode] as number);
    this.operands.popObserved(SIMD.pops[opcode] as number);
    this.operands.pushSettled(SIMD.pushes[opcode] as number);
    const float = SIMD.float[opcode];
    if (float === FLOAT.arith32 || float === FLOAT.arith64)
      this.edits.canonical.set(this.body.at, float === FLOAT.arith64 ? 3 : 2);
  }

  private special(opcode: number, at: number): void {
    const { body, operands, scope } = this;
    switch (opcode) {
      case OP.nop:
        return;
      case OP.unreachable:
        return this.flow.die();
      case OP.block:
      case OP.loop:
      case OP.if:
        return this.flow.open(opcode, this.blockType(body.s33()));
      case OP.else:
        return this.flow.otherwise();
      case OP.end:
        return this.flow.close();
      case OP.br:
        this.flow.jump(body.u32());
        return this.flow.die();
      case OP.brIf:
        operands.popObserved(1);
        this.flow.jump(body.u32());
        this.flow.beginCharge();
        return;
      case OP.brTable: {
        operands.popObserved(1);
        for (let more = body.u32(); more >= 0; more--) this.flow.jump(body.u32());
        return this.flow.die();
      }
      case OP.return:
        this.flow.jump(this.flow.depth - 1);
        this.edits.add(EDIT.return, at, this.flow.depth - 1);
        return this.flow.die();
      case OP.call:
        return this.call(at, body.u32());
      case OP.returnCall: {
        const index = body.u32();
        this.calls.push(index);
        operands.popObserved(scope.typeOf(index).params.length);
        this.payCallee(index);
        this.edits.add(EDIT.leave, at);
        this.flow.leave(0);
        return this.flow.die();
      }
      case OP.callIndirect:
      case OP.returnCallIndirect:
        return this.callIndirect(opcode, at, body.u32(), body.u32());
      default:
        return this.value(opcode, at);
    }
  }

  private call(at: number, index: number): void {
    const { operands, scope } = this;
    const type = scope.typeOf(index);
    this.calls.push(index);
    operands.popObserved(type.params.length);
    operands.pushSettled(type.results.length);
    this.payCallee(index);
    const counted = scope.planOf(index)?.frame !== null;
    const kind = index < scope.importCount ? CALL.wasi : counted ? CALL.counted : CALL.plain;
    this.edits.add(EDIT.call, at, kind);
  }

  private payCallee(index: number): void {
    const prepaid = this.scope.planOf(index)?.prepaid;
    if (prepaid) this.flow.pay(prepaid);
  }

  private callIndirect(opcode: number, at: number, type: number, _table: number): void {
    const { operands, scope } = this;
    const { params, results } = scope.types[type] ?? refuse('known types');
    this.indirect.push(type);
    operands.popObserved(params.length + 1);
    if (opcode === OP.returnCallIndirect) {
      this.edits.add(EDIT.leave, at);
      this.flow.leave(0);
      return this.flow.die();
    }
    operands.pushSettled(results.length);
    this.edits.add(EDIT.call, at, CALL.counted);
  }

  /** Locals, constants, selects, memory.grow and references of functions. */
  private value(opcode: number, at: number): void {
    const { body, flow, operands, values } = this;
    switch (opcode) {
      case OP.localGet: {
        const local = body.u32();
        return values.getLocal(local, body.at);
      }
      case OP.localSet:
        return values.setLocal(body.u32(), operands.pop(), flow.dead);
      case OP.localTee: {
        const local = body.u32();
        return values.teeLocal(local, body.at, flow.dead);
      }
      case OP.selectTyped:
        body.list((each) => each.byte());
        return values.select(body.at);
      case OP.select:
        return values.select(body.at);
      case OP.f32Const:
        body.skip(4);
        return operands.push(isNan(body.bytes, at + 1, 4) ? SETTLED : NUMBER);
      case OP.f64Const:
        body.skip(8);
        return operands.push(isNan(body.bytes, at + 1, 8) ? SETTLED : NUMBER);
      case OP.refFunc:
        this.taken.push(body.u32());
        return operands.push(SETTLED);
      case OP.memoryGrow:
        body.skipLeb();
        this.edits.add(EDIT.grow, at, body.at - at);
        operands.popObserved(1);
        return operands.push(SETTLED);
      default:
        refuse('only instructions of WebAssembly 2.0 and tail calls');
    }
  }

  private blockType(type: number): { params: number; results: number } {
    if (type < 0) return { params: 0, results: type === -64 ? 0 : 1 };
    const { params, results } = this.scope.types[type] ?? refuse('known types');
    return { params: params.length, results: results.length };
  }
}

/**
 * Reads a function and says what has to be put into it: `plan` null, as far as that is known before it is decided how
 * functions are metered, without the places of canonical NaNs.
 */
export const readFunction = (
  body: Cursor,
  type: FunctionType,
  scope: Scope,
  plan: FunctionPlan | null,
): FunctionReading => {
  const withFloats = plan !== null;
  const reader = body.fork();
  const localTypes = readLocals(reader, type.params);
  const start = reader.at;
  const floats = withFloats ? new FloatLocals(localTypes, type.params.length) : null;
  for (;;) {
    const reading = new FunctionReader(reader.fork(), scope, {
      localTypes,
      results: type.results.length,
      floats,
      prepaid: typeof plan?.prepaid === 'number',
    });
    reading.read();
    if (floats?.again()) continue;
    const { calls, indirect, taken, edits, operands, flow } = reading;
    const { cost, entryCost, loops } = flow;
    return {
      localTypes,
      start,
      deepestOperands: operands.deepest,
      cost,
      entryCost,
      loops,
      calls,
      indirect,
      taken,
      edits,
    };
  }
};
