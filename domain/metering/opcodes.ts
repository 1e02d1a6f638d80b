import { COST } from './costs.ts';

/**
 * The instructions that metering knows: WebAssembly 2.0 (with fixed-width SIMD, bulk memory, reference types) and tail
 * calls. Whatever is not in these tables is refused, so a new proposal is never counted wrongly.
 */

export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  f32Ne: 0x5c,
  f64Ne: 0x62,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refFunc: 0xd2,
  prefixed: 0xfc,
  simd: 0xfd,
} as const;

/** What follows an opcode in the binary. `special` is read by hand. */
export const IMMEDIATE = {
  none: 0,
  index: 1,
  memory: 2,
  leb: 3,
  f32: 4,
  f64: 5,
  special: 6,
  unknown: 7,
  lane: 8,
  memoryLane: 9,
  sixteen: 10,
  twoIndices: 11,
} as const;

/**
 * What an instruction does with float values whose NaN is not settled yet (see `analyse.ts`): `observe` lets their bits
 * out, `free` does not, `arith…` computes such a value, `keep` passes one on, `number` makes a float that is no NaN.
 */
export const FLOAT = {
  observe: 0,
  free: 1,
  arith32: 2,
  arith64: 3,
  keep: 4,
  copysign: 5,
  number: 6,
} as const;

export interface OpcodeTable {
  readonly immediate: Uint8Array;
  readonly pops: Uint8Array;
  readonly pushes: Uint8Array;
  readonly cost: Uint16Array;
  readonly float: Uint8Array;
}

interface Row {
  readonly immediate?: number;
  readonly cost?: number;
  readonly float?: number;
}

const emptyTable = (): OpcodeTable => ({
  immediate: new Uint8Array(256).fill(IMMEDIATE.unknown),
  pops: new Uint8Array(256),
  pushes: new Uint8Array(256),
  cost: new Uint16Array(256).fill(COST.plain),
  float: new Uint8Array(256),
});

const define =
  (table: OpcodeTable) =>
  (opcodes: readonly number[], pops: number, pushes: number, row: Row = {}): void => {
    for (const opcode of opcodes) {
      table.immediate[opcode] = row.immediate ?? IMMEDIATE.none;
      table.pops[opcode] = pops;
      table.pushes[opcode] = pushes;
      table.cost[opcode] = row.cost ?? COST.plain;
      table.float[opcode] = row.float ?? FLOAT.observe;
    }
  };

/** `first` to `last`, both included. */
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

const { index, memory, leb, special, lane, memoryLane, sixteen, twoIndices } = IMMEDIATE;

const plainTable = (): OpcodeTable => {
  const table = emptyTable();
  const set = define(table);
  const { free, arith32, arith64, keep, copysign, number } = FLOAT;
  // Control, calls, locals and selects: their effect on the operands is worked out by hand.
  set([0x00, 0x0f], 0, 0, { immediate: special });
  set([0x01, ...range(0x02, 0x05), 0x0b], 0, 0, { immediate: special, cost: 0 });
  set(range(0x0c, 0x0e), 0, 0, { immediate: special });
  set([0x10, 0x12], 0, 0, { immediate: special, cost: COST.call });
  set([0x11, 0x13], 0, 0, { immediate: special, cost: COST.indirectCall });
  set([0x1a], 1, 0, { float: free, cost: COST.name });
  set([0x1b, 0x1c], 0, 0, { immediate: special });
  set(range(0x20, 0x22), 0, 0, { immediate: special, cost: COST.name });
  set([0x23], 0, 1, { immediate: index });
  set([0x24], 1, 0, { immediate: index });
  set([0x25], 1, 1, { immediate: index, cost: COST.memory });
  set([0x26], 2, 0, { immediate: index, cost: COST.memory });
  set(range(0x28, 0x35), 1, 1, { immediate: memory, cost: COST.memory });
  set(range(0x36, 0x3e), 2, 0, { immediate: memory, cost: COST.memory });
  set([0x3f], 0, 1, { immediate: index });
  set([0x40], 1, 1, { immediate: special, cost: COST.grow });
  set([0x41, 0x42], 0, 1, { immediate: leb, cost: COST.name });
  set([0x43, 0x44], 0, 1, { immediate: special, cost: COST.name });
  // Integers: tests and comparisons, then arithmetic.
  set([0x45, 0x50, ...range(0x67, 0x69), ...range(0x79, 0x7b)], 1, 1);
  set([...range(0x46, 0x4f), ...range(0x51, 0x5a), ...range(0x6a, 0x78), ...range(0x7c, 0x8a)], 2, 1);
  set([...range(0x6d, 0x70), ...range(0x7f, 0x82)], 2, 1, { cost: COST.divide });
  // Floats.
  set(range(0x5b, 0x66), 2, 1, { float: free });
  set([0x8b, 0x8c, 0x99, 0x9a], 1, 1, { float: keep });
  set(range(0x8d, 0x90), 1, 1, { float: arith32 });
  set([0x91], 1, 1, { float: arith32, cost: COST.slowFloat });
  set([0x92, 0x93, 0x94, 0x96, 0x97], 2, 1, { float: arith32 });
  set([0x95], 2, 1, { float: arith32, cost: COST.slowFloat });
  set(range(0x9b, 0x9e), 1, 1, { float: arith64 });
  set([0x9f], 1, 1, { float: arith64, cost: COST.slowFloat });
  set([0xa0, 0xa1, 0xa2, 0xa4, 0xa5], 2, 1, { float: arith64 });
  set([0xa3], 2, 1, { float: arith64, cost: COST.slowFloat });
  set([0x98, 0xa6], 2, 1, { float: copysign });
  // Conversions: wrap, truncate, extend, convert, demote, promote, reinterpret, sign extension.
  set([0xa7, 0xac, 0xad, ...range(0xbc, 0xbf), ...range(0xc0, 0xc4)], 1, 1);
  set([...range(0xa8, 0xab), ...range(0xae, 0xb1)], 1, 1, { float: free });
  set([...range(0xb2, 0xb5), ...range(0xb7, 0xba)], 1, 1, { float: number });
  set([0xb6], 1, 1, { float: arith32 });
  set([0xbb], 1, 1, { float: arith64 });
  set([0xd0], 0, 1, { immediate: index });
  set([0xd1], 1, 1);
  set([0xd2], 0, 1, { immediate: special });
  set([0xfc, 0xfd], 0, 0, { immediate: special });
  return table;
};

/** After the prefix 0xfc: saturating truncation, and what acts on a range of memory or of a table. */
const prefixedTable = (): OpcodeTable => {
  const table = emptyTable();
  const set = define(table);
  const cost = COST.bulk;
  set(range(0, 7), 1, 1, { float: FLOAT.free });
  set([8, 10, 12, 14], 3, 0, { immediate: twoIndices, cost });
  set([9, 13], 0, 0, { immediate: index });
  set([11, 17], 3, 0, { immediate: index, cost });
  set([15], 2, 1, { immediate: index, cost: COST.grow });
  set([16], 0, 1, { immediate: index });
  return table;
};

/** After the prefix 0xfd. Relaxed SIMD begins at 0x100, beyond the table: its results are the machine's choice. */
const simdTable = (): OpcodeTable => {
  const table = emptyTable();
  const set = define(table);
  const { arith32, arith64 } = FLOAT;
  const unary = [
    ...range(15, 20), ...[77, 83], ...range(96, 100), ...range(124, 129), ...[131, 132], ...range(135, 138),
    ...[160, 161, 163, 164], ...range(167, 170), ...[192, 193, 195, 196], ...range(199, 202),
    ...[224, 225, 236, 237], ...range(248, 255),
  ]; // biome-ignore format: opcodes in their groups
  const binary = [
    14, ...range(35, 76), ...range(78, 81), ...[101, 102], ...range(107, 115), ...range(118, 121), 123, 130,
    ...[133, 134], ...range(139, 147), ...range(149, 153), ...range(155, 159), ...range(171, 174), 177,
    ...range(181, 186), ...range(188, 191), ...range(203, 206), 209, ...range(213, 223), ...[234, 235, 246, 247],
  ]; // biome-ignore format: opcodes in their groups
  set([...range(0, 10), 92, 93], 1, 1, { immediate: memory, cost: COST.memory });
  set([11], 2, 0, { immediate: memory, cost: COST.memory });
  set([12], 0, 1, { immediate: sixteen });
  set([13], 2, 1, { immediate: sixteen });
  set([21, 22, 24, 25, 27, 29, 31, 33], 1, 1, { immediate: lane });
  set([23, 26, 28, 30, 32, 34], 2, 1, { immediate: lane });
  set(range(84, 87), 2, 1, { immediate: memoryLane, cost: COST.memory });
  set(range(88, 91), 2, 0, { immediate: memoryLane, cost: COST.memory });
  set(unary, 1, 1);
  set(binary, 2, 1);
  set([82], 3, 1);
  set([94, ...range(103, 106)], 1, 1, { float: arith32 });
  set([227], 1, 1, { float: arith32, cost: COST.slowFloat });
  set([...range(228, 230), 232, 233], 2, 1, { float: arith32 });
  set([231], 2, 1, { float: arith32, cost: COST.slowFloat });
  set([95, 116, 117, 122, 148], 1, 1, { float: arith64 });
  set([239], 1, 1, { float: arith64, cost: COST.slowFloat });
  set([...range(240, 242), 244, 245], 2, 1, { float: arith64 });
  set([243], 2, 1, { float: arith64, cost: COST.slowFloat });
  return table;
};

export const PLAIN: OpcodeTable = plainTable();
export const PREFIXED: OpcodeTable = prefixedTable();
export const SIMD: OpcodeTable = simdTable();
