/**
 * Random WebAssembly programs as text, the same for the same seed. Every instruction family that metering takes occurs;
 * most programs end by themselves, some by each kind of trap and limit. What a program computed is in the first 4 KiB of
 * its memory, which it writes to standard output.
 */

type Type = 'i32' | 'i64' | 'f32' | 'f64';
const INTEGERS: readonly Type[] = ['i32', 'i64'];
const TYPES: readonly Type[] = [...INTEGERS, 'f32', 'f64'];

/** A 32-bit generator (mulberry32, public domain). */
const randomOf = (seed: number) => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (count: number): number => next() % count,
    pick: <T>(from: readonly T[]): T => from[next() % from.length] as T,
    /** True once in `n` times. */
    once: (n: number): boolean => next() % n === 0,
  };
};
type Random = ReturnType<typeof randomOf>;

interface Signature {
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type;
}

const CONSTANTS: Readonly<Record<Type, readonly string[]>> = {
  i32: ['0', '1', '-1', '7', '255', '65535', '-2147483648', '2147483647', '123456789'],
  i64: ['0', '1', '-1', '13', '4294967296', '-9223372036854775808', '9223372036854775807'],
  f32: ['0', '-0', '1.5', '-3.25', '1e30', '1e-40', 'inf', '-inf', 'nan', 'nan:0x200001', '0.1'],
  f64: ['0', '-0', '1.5', '-3.25', '1e300', '1e-320', 'inf', '-inf', 'nan', 'nan:0x4000000000001', '0.1'],
};
const INTEGER_OPERATIONS = 'add sub mul and or xor shl shr_s shr_u rotl rotr'.split(' ');
const DIVISIONS = 'div_s div_u rem_s rem_u'.split(' ');
const INTEGER_COMPARISONS = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'.split(' ');
const FLOAT_OPERATIONS = 'add sub mul div min max copysign'.split(' ');
const FLOAT_UNARY = 'abs neg ceil floor trunc nearest sqrt'.split(' ');
const FLOAT_COMPARISONS = 'eq ne lt gt le ge'.split(' ');
const isFloat = (type: Type): boolean => type === 'f32' || type === 'f64';
const SHAPES: Readonly<Record<Type, string>> = { i32: 'i32x4', i64: 'i64x2', f32: 'f32x4', f64: 'f64x2' };
const WIDTH: Readonly<Record<Type, number>> = { i32: 4, i64: 8, f32: 4, f64: 8 };

/** One function's text while it is made. */
class FunctionMaker {
  private readonly random: Random;
  private readonly functions: readonly Signature[];
  private readonly self: Signature;
  private readonly types: readonly Type[];
  private readonly locals: readonly Type[];
  /** Loops and calls are rarer the deeper they lie: most programs shall end. */
  private nesting = 0;
  private labels = 0;
  private counters = 0;

  constructor(random: Random, functions: readonly Signature[], self: Signature, types: readonly Type[]) {
    this.random = random;
    this.types = types;
    this.functions = functions;
    this.self = self;
    this.locals = [...self.params, ...Array.from({ length: 2 + random.below(6) }, () => random.pick(types))];
  }

  text(): string {
    const { self, random } = this;
    const body = Array.from({ length: 2 + random.below(6) }, () => this.statement(3)).join('\n  ');
    const value = this.value(self.result, 3);
    const own = this.locals.slice(self.params.length);
    const params = self.params.map((type) => `(param ${type})`).join(' ');
    const counters = Array.from({ length: this.counters }, () => '(local i32)').join(' ');
    return `(func $${self.name} (type $${self.name}) ${params} (result ${self.result})
  ${own.map((type) => `(local ${type})`).join(' ')} ${counters}
  ${body}
  ${value})`;
  }

  private localOf(type: Type): number | null {
    const found = this.locals.flatMap((each, index) => (each === type ? [index] : []));
    return found.length > 0 ? this.random.pick(found) : null;
  }

  private constant(type: Type): string {
    return `(${type}.const ${this.random.pick(CONSTANTS[type])})`;
  }

  private address(depth: number): string {
    const address = this.value('i32', depth - 1);
    // Now and then nothing keeps it inside of the memory.
    return this.random.once(60) ? address : `(i32.and ${address} (i32.const 4095))`;
  }

  value(type: Type, depth: number): string {
    const { random } = this;
    if (depth <= 0 || random.once(5)) {
      const local = this.localOf(type);
      return local !== null && !random.once(3) ? `(local.get ${local})` : this.constant(type);
    }
    const v = (of: Type): string => this.value(of, depth - 1);
    const common: (() => string)[] = [
      () => `(select ${v(type)} ${v(type)} ${v('i32')})`,
      () => `(if (result ${type}) ${v('i32')} (then ${v(type)}) (else ${v(type)}))`,
      () => `(block $l${this.labels} (result ${type}) ${this.exits(type, depth)} ${v(type)})`,
      () => `(${type}.load ${this.address(depth)})`,
      () => this.call(type, depth),
      () => `(global.get $${type})`,
      () => this.tee(type, depth),
    ];
    const own = isFloat(type) ? this.floats(type, depth) : this.integers(type, depth);
    return random.pick(random.once(3) ? common : own)();
  }

  private tee(type: Type, depth: number): string {
    const local = this.localOf(type);
    const value = this.value(type, depth - 1);
    return local === null ? value : `(local.tee ${local} ${value})`;
  }

  /** A conditional jump out of the block that `labels` names. */
  private exits(type: Type, depth: number): string {
    const label = this.labels++;
    return `(drop (br_if $l${label} ${this.value(type, depth - 1)} ${this.value('i32', depth - 1)}))`;
  }

  private integers(type: Type, depth: number): (() => string)[] {
    const { random, types } = this;
    const v = (of: Type): string => this.value(of, depth - 1);
    const other = random.pick(types);
    const float = random.pick(['f32', 'f64'] as const);
    const divisor = (): string => (random.once(8) ? v(type) : `(${type}.or ${v(type)} (${type}.const 1))`);
    const both: (() => string)[] = [
      () => `(${type}.${random.pick(INTEGER_OPERATIONS)} ${v(type)} ${v(type)})`,
      () => `(${type}.${random.pick(INTEGER_OPERATIONS)} ${v(type)} ${v(type)})`,
      () => `(${type}.${random.pick(DIVISIONS)} ${v(type)} ${divisor()})`,
      () => `(${type}.${random.pick(['clz', 'ctz', 'popcnt', 'extend8_s', 'extend16_s'])} ${v(type)})`,
      () => `(${type}.load${random.pick(['8_s', '8_u', '16_s', '16_u'])} ${this.address(depth)})`,
    ];
    if (types.includes('f32'))
      both.push(
        () => `(${type}.trunc_sat_${float}_${random.pick(['s', 'u'])} ${v(float)})`,
        () => `(${type}.reinterpret_f${type.slice(1)} ${v(type === 'i32' ? 'f32' : 'f64')})`,
      );
    if (types.includes('f32') && random.once(10)) both.push(() => `(${type}.trunc_${float}_s ${v(float)})`);
    if (type === 'i64') return [...both, () => `(i64.extend_i32_${random.pick(['s', 'u'])} ${v('i32')})`];
    const comparison = isFloat(other) ? FLOAT_COMPARISONS : INTEGER_COMPARISONS;
    return [
      ...both,
      () => `(${other}.${random.pick(comparison)} ${v(other)} ${v(other)})`,
      () => `(i32.wrap_i64 ${v('i64')})`,
      () => `(i32.eqz ${v('i32')})`,
      () => `(memory.grow ${random.once(6) ? v('i32') : `(i32.const ${random.below(3)})`})`,
      () => '(memory.size)',
      () => `(table.grow $extra (ref.null func) (i32.and ${v('i32')} (i32.const 4095)))`,
      () => `(i32x4.extract_lane ${random.below(4)} ${this.vector(depth - 1)})`,
      () => `(v128.any_true ${this.vector(depth - 1)})`,
    ];
  }

  private floats(type: Type, depth: number): (() => string)[] {
    const { random } = this;
    const v = (of: Type): string => this.value(of, depth - 1);
    const integer = random.pick(['i32', 'i64'] as const);
    const shape = type === 'f32' ? 'f32x4' : 'f64x2';
    const operation = (): string => `(${type}.${random.pick(FLOAT_OPERATIONS)} ${v(type)} ${v(type)})`;
    return [
      operation,
      operation,
      () => `(${type}.${random.pick(FLOAT_UNARY)} ${v(type)})`,
      () => `(${type}.convert_${integer}_${random.pick(['s', 'u'])} ${v(integer)})`,
      () => (type === 'f32' ? `(f32.demote_f64 ${v('f64')})` : `(f64.promote_f32 ${v('f32')})`),
      () => `(${type}.reinterpret_i${type.slice(1)} ${v(type === 'f32' ? 'i32' : 'i64')})`,
      () => `(${shape}.extract_lane ${random.below(2)} ${this.vector(depth - 1)})`,
    ];
  }

  private vector(depth: number): string {
    const { random } = this;
    if (depth <= 0) return `(v128.load ${this.address(1)})`;
    const shape = SHAPES[random.pick(this.types)];
    const lane = shape.slice(0, 3) as Type;
    const [a, b] = [(): string => this.vector(depth - 1), (): string => this.vector(depth - 1)];
    const operations = isFloat(lane)
      ? ['add', 'sub', 'mul', 'div', 'min', 'max', 'eq', 'pmin']
      : ['add', 'sub', 'mul', 'eq'];
    return random.pick([
      () => `(${shape}.splat ${this.value(lane, depth - 1)})`,
      () => `(${shape}.${random.pick(operations)} ${a()} ${b()})`,
      () => `(v128.${random.pick(['and', 'or', 'xor', 'andnot'])} ${a()} ${b()})`,
      () => `(v128.bitselect ${a()} ${b()} ${a()})`,
      () => (isFloat(lane) ? `(${shape}.${random.pick(['sqrt', 'abs', 'neg', 'ceil'])} ${a()})` : a()),
    ])();
  }

  private call(type: Type, depth: number): string {
    const { random, functions, nesting } = this;
    const fitting = functions.filter(({ result }) => result === type);
    if (fitting.length === 0 || !random.once(1 + nesting)) return this.constant(type);
    const callee = random.pick(fitting);
    const given = callee.params.map((param) => this.value(param, depth - 2)).join(' ');
    if (random.once(3)) {
      const index = random.once(12) ? this.value('i32', 1) : `(i32.const ${functions.indexOf(callee)})`;
      return `(call_indirect $functions (type $${callee.name}) ${given} ${index})`;
    }
    return `(call $${callee.name} ${given})`;
  }

  private nested(depth: number, count: number): string {
    this.nesting += 1;
    const text = Array.from({ length: count }, () => this.statement(depth)).join(' ');
    this.nesting -= 1;
    return text;
  }

  private statement(depth: number): string {
    const { random, types } = this;
    const type = random.pick(types);
    const v = (of: Type): string => this.value(of, depth);
    const choices: (() => string)[] = [
      () => this.assign(type, depth),
      () => this.assign(type, depth),
      () => `(${type}.store ${this.address(depth)} ${v(type)})`,
      () => `(${type}.store ${this.address(depth)} ${v(type)})`,
      () => `(v128.store ${this.address(depth)} ${this.vector(2)})`,
      () => `(global.set $${type} ${v(type)})`,
      () => `(drop ${v(type)})`,
      () => this.bulk(depth),
    ];
    if (depth > 0)
      choices.push(
        () => `(if ${v('i32')} (then ${this.nested(depth - 1, 2)}) (else ${this.nested(depth - 1, 1)}))`,
        () => this.loop(depth),
        () => this.switch(depth),
        () => this.leave(depth),
      );
    if (random.once(80)) return `(if ${v('i32')} (then (unreachable)))`;
    return random.pick(choices)();
  }

  private assign(type: Type, depth: number): string {
    const local = this.localOf(type);
    return local === null ? '(nop)' : `(local.set ${local} ${this.value(type, depth)})`;
  }

  private bulk(depth: number): string {
    const size = this.random.once(20) ? this.value('i32', 1) : `(i32.const ${this.random.below(600)})`;
    return this.random.once(2)
      ? `(memory.fill ${this.address(depth)} ${this.value('i32', 1)} ${size})`
      : `(memory.copy ${this.address(depth)} ${this.address(depth)} ${size})`;
  }

  /** Mostly a loop that counts down in a local of its own; rarely one that may never end. */
  private loop(depth: number): string {
    const { random } = this;
    const label = `$l${this.labels++}`;
    const counter = this.locals.length + this.counters++;
    const body = this.nested(depth - 1, 1 + random.below(3));
    if (random.once(25)) return `(loop ${label} ${body} (br_if ${label} ${this.value('i32', 1)}))`;
    return `(local.set ${counter} (i32.const ${1 + random.below(200)}))
  (loop ${label} ${body}
    (br_if ${label} (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const 1)))))`;
  }

  private switch(depth: number): string {
    const [a, b, c] = [this.labels++, this.labels++, this.labels++].map((label) => `$l${label}`);
    return `(block ${a} (block ${b} (block ${c} (br_table ${a} ${b} ${c} ${a} ${this.value('i32', 2)}))
    ${this.nested(depth - 1, 1)}) ${this.nested(depth - 1, 1)})`;
  }

  /** Leaves the function, by a tail call where one fits. */
  private leave(depth: number): string {
    const { random, self, functions } = this;
    const fitting = functions.filter(({ result }) => result === self.result);
    const callee = random.pick(fitting);
    const given = callee.params.map((param) => this.value(param, 1)).join(' ');
    const exit = random.once(3)
      ? `(return_call $${callee.name} ${given})`
      : `(return ${this.value(self.result, depth - 1)})`;
    return `(if (i32.eqz (i32.and ${this.value('i32', 1)} (i32.const 7))) (then ${exit}))`;
  }
}

/** A WASI command as WebAssembly text; `floats` false: one that computes with integers alone. */
export const generateModule = (seed: number, { floats = true } = {}): string => {
  const random = randomOf(seed);
  const kinds = floats ? TYPES : INTEGERS;
  const functions: Signature[] = Array.from({ length: 3 + random.below(5) }, (_, index) => ({
    name: `f${index}`,
    params: Array.from({ length: random.below(4) }, () => random.pick(kinds)),
    result: random.pick(kinds),
  }));
  const types = functions.map(
    ({ name, params, result }) => `(type $${name} (func (param ${params.join(' ')}) (result ${result})))`,
  );
  const calls = functions.map(
    ({ name, params, result }, index) =>
      `(${result}.store (i32.const ${128 + index * WIDTH.i64})
    (call $${name} ${params.map((type) => `(${type}.const ${random.pick(CONSTANTS[type])})`).join(' ')}))`,
  );
  const names = functions.map(({ name }) => `$${name}`).join(' ');
  return `(module
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
${types.join('\n')}
(memory (export "memory") 1 ${random.pick(['', '8', '40'])})
(table $functions ${functions.length} funcref)
(table $extra 1 ${random.pick(['', '9000'])} funcref)
(elem (table $functions) (i32.const 0) func ${names})
${TYPES.map((type) => `(global $${type} (mut ${type}) (${type}.const 1))`).join('\n')}
${functions.map((each) => new FunctionMaker(random, functions, each, kinds).text()).join('\n')}
(func (export "_start")
  (drop (call $random (i32.const 256) (i32.const 3840)))
  ${calls.join('\n  ')}
  (i32.store (i32.const 4096) (i32.const 0))
  (i32.store (i32.const 4100) (i32.const 4096))
  (drop (call $write (i32.const 1) (i32.const 4096) (i32.const 1) (i32.const 4104)))))`;
};
