import { type FieldError, ok, type Result, reject } from '../../domain/errors.ts';
import { type InstrumentationReport, instrument } from '../../domain/metering/instrument.ts';
import { MODULE_NAME, PREVIEW1_FUNCTIONS } from '../../domain/metering/preview1.ts';

export interface ModuleInfo {
  /** WASI functions that it imports. */
  readonly imports: readonly string[];
  /** Linear memory that it starts with, in bytes. */
  readonly minimumMemoryBytes: number;
  /** The module that runs in its place, and what was done to it. */
  readonly metered: Uint8Array;
  readonly report: InstrumentationReport;
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
 * a command with one memory, of nothing but instructions that metering knows. A refusal names `field` and each rule.
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
  const rules = [...importRules(module), ...exportRules(module)];
  const instrumented = instrument(wasm, field);
  if (!instrumented.ok) rules.push(...(instrumented.errors ?? []).map(({ rule }) => rule));
  if (rules.length > 0 || !instrumented.ok) return refuse([...new Set(rules)]);
  const { bytes: metered, report } = instrumented.value;
  // An engine bounds functions and locals, and metering adds to both.
  if (!WebAssembly.validate(metered)) return refuse(['functions that leave room for metering']);
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
  return ok({ imports, minimumMemoryBytes: report.memoryPages * PAGE_BYTES, metered, report });
};
