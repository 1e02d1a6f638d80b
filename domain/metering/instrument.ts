import { ok, type Result, rejectField } from '../errors.ts';
import {
  COMPILED_BYTE_FUEL,
  METERING_VERSION,
  PAGE_FUEL,
  TABLE_ENTRIES,
  TABLE_ENTRY_SHIFT,
} from './costs.ts';
import { ADDED_FUNCTIONS, ADDED_GLOBALS, type Added, helperBodies, runBody } from './helpers.ts';
import { EXPORTS } from './host-interface.ts';
import { checkImports } from './imports.ts';
import { EXTERNAL, type FunctionType, type Module, readModule, SECTION, VALUE } from './module.ts';
import { OP } from './opcodes.ts';
import { Output } from './output.ts';
import { makePlan, type Plan } from './plan.ts';
import { readFunction, type Scope } from './read-function.ts';
import { Refusal, refuse } from './refusal.ts';
import { writeFunction } from './write-function.ts';

export interface Instrumented {
  readonly bytes: Uint8Array;
  readonly report: InstrumentationReport;
}

export interface InstrumentationReport {
  readonly version: typeof METERING_VERSION;
  /** Linear memory that the module starts with, in pages of 64 KiB. */
  readonly memoryPages: number;
  /** Functions of the module's own; of them, those that count their frames, and those that their callers pay. */
  readonly functions: number;
  readonly recursive: number;
  readonly prepaid: number;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const MOST_PAGES = 65_536;
const FUNCTION_TYPE = 0x60;
const MUTABLE = 1;

const I32 = VALUE.i32;
const GLOBAL_TYPES = { fuel: VALUE.i64, ended: I32, pages: I32, refused: I32, stack: I32 };

/** Types that metering adds, each once; their indices follow those of the module. */
const addedTypes = (module: Module) => {
  const added: FunctionType[] = [];
  const indices = new Map<string, number>();
  const indexOf = (type: FunctionType): number => {
    const key = `${type.params.join()}>${type.results.join()}`;
    const known = indices.get(key);
    if (known !== undefined) return known;
    const index = module.types.length + added.push(type) - 1;
    indices.set(key, index);
    return index;
  };
  return { added, indexOf };
};

const addedOf = (module: Module): Added => {
  const functions = module.imports.length + module.functions.length;
  const global = (name: (typeof ADDED_GLOBALS)[number]): number =>
    module.globalCount + ADDED_GLOBALS.indexOf(name);
  const helper = (name: (typeof ADDED_FUNCTIONS)[number]): number =>
    functions + ADDED_FUNCTIONS.indexOf(name);
  return {
    fuel: global('fuel'),
    ended: global('ended'),
    pages: global('pages'),
    refused: global('refused'),
    stack: global('stack'),
    pay: helper('pay'),
    exhausted: helper('exhausted'),
    overflow: helper('overflow'),
    grow: helper('grow'),
    bytes: helper('bytes'),
    entries: helper('entries'),
  };
};

const scopeOf = (module: Module): Scope => {
  const importCount = module.imports.length;
  const typeOf = (index: number): FunctionType => {
    const type = index < importCount ? module.imports[index]?.type : module.functions[index - importCount];
    return module.types[type ?? -1] ?? refuse('known types');
  };
  return { types: module.types, typeOf, importCount, planOf: () => null };
};

/** The functions that a run calls: the start function, where there is one, and `_start`. */
const entriesOf = (module: Module, scope: Scope): number[] => {
  const main = module.exports.get('_start');
  if (main?.kind !== EXTERNAL.function) return refuse('exports the function _start, as a WASI command does');
  const { params, results } = scope.typeOf(main.index);
  if (params.length + results.length > 0) refuse('a function _start that takes and returns nothing');
  return module.start === null ? [main.index] : [module.start, main.index];
};

/** Most entries of a table, so that all tables together stay within their bound; whatever the machine has. */
const tableSection = ({ tables }: Module): Output => {
  const most = Math.floor(TABLE_ENTRIES / Math.max(1, tables.length));
  const out = new Output().u32(tables.length);
  for (const { type, min, max } of tables) {
    if (min > most) refuse(`tables with at most ${TABLE_ENTRIES} entries together`);
    out
      .byte(type)
      .byte(1)
      .u32(min)
      .u32(Math.min(max ?? most, most));
  }
  return out;
};

/** What a run costs before its first instruction: the module is compiled, its memory cleared, its tables filled. */
const startFuel = ({ memory, tables }: Module, bytes: number): number =>
  bytes * COMPILED_BYTE_FUEL +
  memory.min * PAGE_FUEL +
  tables.reduce((sum, { min }) => sum + min, 0) * 2 ** TABLE_ENTRY_SHIFT;

const limitsOf = (out: Output, { min, max }: Module['memory']): Output =>
  max === null ? out.byte(0).u32(min) : out.byte(1).u32(min).u32(max);

/** Branch hinting: which branches of a function are unlikely, by their offsets in its body. */
const HINT_SECTION = 'metadata.code.branch_hint';
const UNLIKELY = 0;

const writeHints = (out: Output, index: number, unlikely: readonly number[]): void => {
  if (unlikely.length === 0) return;
  out.u32(index).u32(unlikely.length);
  for (const offset of unlikely) out.u32(offset).byte(1).byte(UNLIKELY);
};

const assemble = (module: Module, plan: Plan, scope: Scope, source: Uint8Array): Uint8Array => {
  const { added: types, indexOf } = addedTypes(module);
  const added = addedOf(module);
  const signatures = {
    nothing: indexOf({ params: [], results: [] }),
    counted: indexOf({ params: [I32], results: [I32] }),
  };
  const signatureOf = { exhausted: signatures.nothing, overflow: signatures.nothing };
  const imported = module.imports.length;
  const planned: Scope = {
    ...scope,
    planOf: (index) => plan.functions[index - imported] ?? null,
  };
  const blockType = (results: readonly number[]): number => indexOf({ params: [], results });

  const helpers = [
    ...helperBodies(added, Math.min(module.memory.max ?? MOST_PAGES, MOST_PAGES)),
    runBody(added, { fuel: startFuel(module, source.length), stack: plan.stack }, entriesOf(module, scope)),
  ];
  const code = new Output(source.length * 2).u32(module.bodies.length + helpers.length);
  const scratch = new Output();
  const hints = new Output();
  let hinted = 0;
  for (const [index, body] of module.bodies.entries()) {
    const type = scope.typeOf(imported + index);
    const own = plan.functions[index] ?? refuse('known functions');
    const reading = readFunction(body, type, planned, own);
    const metered = { type, reading, plan: own, added, blockType };
    const unlikely = writeFunction(scratch.clear(), source, body.end, metered);
    if (unlikely.length > 0) hinted += 1;
    writeHints(hints, imported + index, unlikely);
    code.sized(scratch);
  }
  for (const helper of helpers) code.sized(helper);

  const run = imported + module.functions.length + ADDED_FUNCTIONS.length;
  const out = new Output(source.length * 2).bytes(HEADER);
  const section = (id: number, content: Output): Output => out.byte(id).sized(content);
  const kept = (id: number): void => {
    const bytes = module.kept.get(id);
    if (bytes) section(id, new Output(bytes.length).bytes(bytes));
  };

  const typeSection = new Output().u32(module.types.length + types.length).bytes(module.typeBytes);
  for (const { params, results } of types)
    typeSection.byte(FUNCTION_TYPE).u32(params.length).bytes(params).u32(results.length).bytes(results);
  section(SECTION.type, typeSection);
  const imports = new Output().u32(imported);
  for (const { module: from, name, type } of module.imports)
    imports.name(from).name(name).byte(EXTERNAL.function).u32(type);
  section(SECTION.import, imports);
  const functions = new Output().u32(module.functions.length + helpers.length);
  for (const type of module.functions) functions.u32(type);
  for (const name of ADDED_FUNCTIONS)
    functions.u32(name in signatureOf ? signatureOf[name as keyof typeof signatureOf] : signatures.counted);
  section(SECTION.function, functions.u32(signatures.nothing));
  section(SECTION.table, tableSection(module));
  section(SECTION.memory, limitsOf(new Output().u32(1), module.memory));
  const globals = new Output().u32(module.globalCount + ADDED_GLOBALS.length).bytes(module.globalBytes);
  for (const name of ADDED_GLOBALS) {
    const type = GLOBAL_TYPES[name];
    globals
      .byte(type)
      .byte(MUTABLE)
      .byte(type === I32 ? OP.i32Const : OP.i64Const);
    globals.signed(0).byte(OP.end);
  }
  section(SECTION.global, globals);
  const exported = ['fuel', 'ended', 'pages', 'refused'] as const;
  const exports = new Output().u32(exported.length + 2);
  exports.name(EXPORTS.run).byte(EXTERNAL.function).u32(run);
  exports.name(EXPORTS.memory).byte(EXTERNAL.memory).u32(0);
  for (const name of exported) exports.name(EXPORTS[name]).byte(EXTERNAL.global).u32(added[name]);
  section(SECTION.export, exports);
  kept(SECTION.element);
  kept(SECTION.dataCount);
  section(SECTION.custom, new Output().name(HINT_SECTION).u32(hinted).bytes(hints.written()));
  section(SECTION.code, code);
  kept(SECTION.data);
  return out.written();
};

/**
 * Makes a valid WASI command count its work and its stack and decide its memory by a limit alone, so that how it ends
 * depends on nothing but its bytes, its input and its limits. A pure function: the same bytes give the same bytes on
 * every machine, so whoever has a module can check what was run for it. Custom sections are dropped; one says which of the
 * branches that metering adds are unlikely.
 *
 * Refused, naming the rule: whatever is not WebAssembly 2.0 or a tail call (threads, relaxed SIMD, exceptions, garbage
 * collection, more or larger memories), for it is either nondeterministic or not known here.
 * @param wasm a module that an engine has found valid; what it would refuse may be refused here, or pass.
 */
export const instrument = (wasm: Uint8Array, field = 'module'): Result<Instrumented> => {
  try {
    const module = readModule(wasm);
    checkImports(module);
    const scope = scopeOf(module);
    if (module.bodies.length !== module.functions.length) refuse('one body for each function');
    const facts = module.bodies.map((body, index) => {
      const type = scope.typeOf(scope.importCount + index);
      // The edits are worked out anew for each function when it is written: all at once they would fill the memory.
      const { edits: _, ...rest } = readFunction(body, type, scope, null);
      return rest;
    });
    const plan = makePlan(module, facts);
    const { functions } = plan;
    return ok({
      bytes: assemble(module, plan, scope, wasm),
      report: {
        version: METERING_VERSION,
        memoryPages: module.memory.min,
        functions: functions.length,
        recursive: functions.filter(({ frame }) => frame !== null).length,
        prepaid: functions.filter(({ prepaid }) => prepaid !== null).length,
      },
    });
  } catch (error) {
    if (error instanceof Refusal) return rejectField(field, error.message);
    throw error;
  }
};
