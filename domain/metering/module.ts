import { MOST_BODY_BYTES, MOST_FUNCTIONS } from './costs.ts';
import { Cursor } from './cursor.ts';
import { refuse } from './refusal.ts';

/** A WebAssembly binary taken apart: what metering has to know, and the bytes of the sections that stay as they are. */
export interface Module {
  readonly types: readonly FunctionType[];
  /** Bytes of the vector of types without its count. */
  readonly typeBytes: Uint8Array;
  readonly imports: readonly FunctionImport[];
  /** Type index of each function of the module's own. */
  readonly functions: readonly number[];
  readonly tables: readonly Table[];
  readonly memory: Limits;
  readonly globalCount: number;
  /** Bytes of the vector of globals without its count. */
  readonly globalBytes: Uint8Array;
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
  readonly start: number | null;
  /** Functions that an indirect call can reach. */
  readonly taken: Set<number>;
  readonly bodies: readonly Cursor[];
  /** Sections that stay as they are: element, data count, data. */
  readonly kept: ReadonlyMap<number, Uint8Array>;
}

export interface FunctionType {
  /** Value types as their bytes. */
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export interface Limits {
  readonly min: number;
  readonly max: number | null;
}

export interface Table extends Limits {
  readonly type: number;
}

export const VALUE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export const FUNCREF = 0x70;
const EXTERNREF = 0x6f;
const VALUE_TYPES: ReadonlySet<number> = new Set([...Object.values(VALUE), FUNCREF, EXTERNREF]);

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

export const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3 } as const;

const HEADER_SIZE = 8;
const FUNCTION_TYPE = 0x60;

const valueType = (cursor: Cursor): number => {
  const type = cursor.byte();
  return VALUE_TYPES.has(type)
    ? type
    : refuse('only the value types i32, i64, f32, f64, v128, funcref and externref');
};

const functionType = (cursor: Cursor): FunctionType => {
  if (cursor.byte() !== FUNCTION_TYPE) refuse('only types of functions');
  return { params: cursor.list(valueType), results: cursor.list(valueType) };
};

const functionImport = (cursor: Cursor): FunctionImport => {
  const [module, name, kind] = [cursor.name(), cursor.name(), cursor.byte()];
  if (kind !== EXTERNAL.function) refuse('imports functions only');
  return { module, name, type: cursor.u32() };
};

const HAS_MAXIMUM = 1;

const limits = (cursor: Cursor, what: string): Limits => {
  const flags = cursor.byte();
  if (flags > HAS_MAXIMUM) refuse(`${what}, 32-bit and not shared`);
  return { min: cursor.u32(), max: flags === HAS_MAXIMUM ? cursor.u32() : null };
};

const table = (cursor: Cursor): Table => {
  const type = cursor.byte();
  if (type !== FUNCREF && type !== EXTERNREF) refuse('only tables of funcref or externref');
  return { type, ...limits(cursor, 'tables') };
};

/** Passes over a constant expression and notes the functions that it refers to. */
const constant = (cursor: Cursor, taken: Set<number>): void => {
  for (;;) {
    const opcode = cursor.byte();
    switch (opcode) {
      case 0x0b:
        return;
      case 0x23:
      case 0x41:
      case 0x42:
      case 0xd0:
        cursor.skipLeb();
        break;
      case 0x43:
        cursor.skip(4);
        break;
      case 0x44:
        cursor.skip(8);
        break;
      case 0xd2:
        taken.add(cursor.u32());
        break;
      case 0xfd:
        if (cursor.u32() !== 12) refuse('only known constant expressions');
        cursor.skip(16);
        break;
      // Arithmetic of the extended constant expressions.
      case 0x6a:
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e:
        break;
      default:
        refuse('only known constant expressions');
    }
  }
};

const PASSIVE = 1;
const EXPLICIT = 2;
const EXPRESSIONS = 4;

const element = (cursor: Cursor, taken: Set<number>): void => {
  const flags = cursor.u32();
  if (flags > 7) refuse('only known element segments');
  if (!(flags & PASSIVE)) {
    if (flags & EXPLICIT) cursor.u32();
    constant(cursor, taken);
  }
  if (flags & (PASSIVE | EXPLICIT)) cursor.byte();
  const count = cursor.u32();
  for (let index = 0; index < count; index++) {
    if (flags & EXPRESSIONS) constant(cursor, taken);
    else taken.add(cursor.u32());
  }
};

const functionTypes = (section: Cursor): number[] => {
  if (section.fork().u32() > MOST_FUNCTIONS) refuse(`at most ${MOST_FUNCTIONS} functions`);
  return section.list((cursor) => cursor.u32());
};

const functionBody = (cursor: Cursor): Cursor => {
  const size = cursor.u32();
  return size > MOST_BODY_BYTES ? refuse('functions of at most 1 MiB') : cursor.part(size);
};

const sectionsOf = (wasm: Uint8Array): Map<number, Cursor> => {
  const cursor = new Cursor(wasm, HEADER_SIZE);
  const sections = new Map<number, Cursor>();
  while (!cursor.done) {
    const [id, size] = [cursor.byte(), cursor.u32()];
    const section = cursor.part(size);
    if (id > SECTION.dataCount) refuse('only the sections of WebAssembly 2.0');
    if (id !== SECTION.custom) sections.set(id, section);
  }
  return sections;
};

/**
 * Takes a valid core module apart.
 * @throws Refusal naming the rule, when it uses what metering does not know, or has not exactly one memory of its own.
 */
export const readModule = (wasm: Uint8Array): Module => {
  const sections = sectionsOf(wasm);
  const of = (id: number): Cursor => sections.get(id)?.fork() ?? new Cursor(Uint8Array.of(0));
  const list = <T>(id: number, read: (cursor: Cursor) => T): T[] => of(id).list(read);
  /** Reads a vector to its end and answers with its count and bytes. */
  const whole = (id: number, read: (cursor: Cursor) => void): { count: number; bytes: Uint8Array } => {
    const cursor = of(id);
    const count = cursor.u32();
    const from = cursor.at;
    for (let index = 0; index < count; index++) read(cursor);
    return { count, bytes: cursor.bytes.subarray(from, cursor.at) };
  };

  const taken = new Set<number>();
  const types: FunctionType[] = [];
  const typeSection = whole(SECTION.type, (cursor) => types.push(functionType(cursor)));
  const memories = list(SECTION.memory, (cursor) => limits(cursor, 'declares exactly one memory'));
  const [memory] = memories;
  if (!memory || memories.length !== 1) return refuse('declares exactly one memory, 32-bit and not shared');
  const globals = whole(SECTION.global, (cursor) => {
    valueType(cursor);
    cursor.byte();
    constant(cursor, taken);
  });
  whole(SECTION.element, (cursor) => element(cursor, taken));
  const start = sections.get(SECTION.start)?.u32() ?? null;
  const kept = new Map<number, Uint8Array>();
  for (const id of [SECTION.element, SECTION.dataCount, SECTION.data]) {
    const section = sections.get(id);
    if (section) kept.set(id, section.slice());
  }
  return {
    types,
    typeBytes: typeSection.bytes,
    imports: list(SECTION.import, functionImport),
    functions: functionTypes(of(SECTION.function)),
    tables: list(SECTION.table, table),
    memory,
    globalCount: globals.count,
    globalBytes: globals.bytes,
    exports: new Map(
      list(SECTION.export, (cursor) => [cursor.name(), { kind: cursor.byte(), index: cursor.u32() }]),
    ),
    start,
    taken,
    bodies: list(SECTION.code, functionBody),
    kept,
  };
};
