import { type FieldError, ok, type Result, reject } from '../../domain/errors.ts';
import { MODULE_NAME, PREVIEW1_FUNCTIONS } from './wasi/abi.ts';
import { declaredMemories } from './wasm-memory.ts';

export interface ModuleInfo {
  /** WASI functions that it imports. */
  readonly imports: readonly string[];
  /** Linear memory that it starts with, in bytes. */
  readonly minimumMemoryBytes: number;
}

const PAGE_BYTES = 65_536;
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const CORE_VERSION = [0x01, 0x00, 0x00, 0x00];

const startsWith = (bytes: Uint8Array, prefix: readonly number[], at = 0): boolean =>
  prefix.every((byte, index) => bytes[at + index] === byte);

const headerRule = (wasm: Uint8Array): string | null => {
  if (!startsWith(wasm, MAGIC)) return 'a WebAssembly binary: it starts with \\0asm';
  return startsWith(wasm, CORE_VERSION, 4) ? null : 'a core WebAssembly module, version 1 (not a component)';
};

const KNOWN: ReadonlySet<string> = new Set(PREVIEW1_FUNCTIONS);

const importRules = (module: WebAssembly.Module): string[] =>
  WebAssembly.Module.imports(module)
    .filter(({ module: from, name, kind }) => from !== MODULE_NAME || kind !== 'function' || !KNOWN.has(name))
    .map(({ module: from, name }) =>
      `imports only functions of ${MODULE_NAME}, not ${from}.${name}`.slice(0, 200),
    );

const exportRules = (module: WebAssembly.Module): string[] => {
  const found = new Set(WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`));
  return ['function _start', 'memory memory']
    .filter((wanted) => !found.has(wanted))
    .map((wanted) => `exports the ${wanted}, as a WASI command does`);
};

/** Exactly one plain 32-bit memory, else the bound on one memory would not bound the module. */
const memoryRule = (wasm: Uint8Array): { rule: string } | { bytes: number } => {
  const memories = declaredMemories(wasm);
  const [memory] = memories ?? [];
  if (memories?.length !== 1 || !memory || memory.shared || memory.is64)
    return { rule: 'declares exactly one memory, 32-bit and not shared' };
  return { bytes: memory.minimumPages * PAGE_BYTES };
};

const compiled = async (wasm: Uint8Array): Promise<WebAssembly.Module | string> => {
  try {
    return await WebAssembly.compile(wasm);
  } catch (error) {
    // The caller's bytes: everything the compiler says about them is an answer, anything else is our fault.
    if (error instanceof WebAssembly.CompileError || error instanceof RangeError) return error.message;
    throw error;
  }
};

/**
 * Whether bytes are a module that an enclave can run: complete and valid, importing nothing but WASI preview 1 functions,
 * a command with one memory. A refusal names `field` and each rule.
 */
export const inspectModule = async (wasm: Uint8Array, field = 'module'): Promise<Result<ModuleInfo>> => {
  const refuse = (rules: readonly string[]): Result<ModuleInfo> =>
    reject(
      'INVALID_REQUEST',
      'this is not a WASI module that an enclave can run',
      rules.map((rule): FieldError => ({ field, rule })),
    );
  const header = headerRule(wasm);
  if (header) return refuse([header]);
  const module = await compiled(wasm);
  if (typeof module === 'string') return refuse([`a complete and valid module (${module.slice(0, 160)})`]);
  const memory = memoryRule(wasm);
  const rules = [...importRules(module), ...exportRules(module), ...('rule' in memory ? [memory.rule] : [])];
  if (rules.length > 0 || !('bytes' in memory)) return refuse(rules);
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
  return ok({ imports, minimumMemoryBytes: memory.bytes });
};
