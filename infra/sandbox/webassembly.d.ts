/** The part of the WebAssembly JavaScript interface that the sandbox uses; the DOM library that has it is not loaded. */
declare namespace WebAssembly {
  type ExternalKind = 'function' | 'table' | 'memory' | 'global' | 'tag';
  interface Module {
    readonly __module: unique symbol;
  }
  const Module: {
    imports(module: Module): { module: string; name: string; kind: ExternalKind }[];
    exports(module: Module): { name: string; kind: ExternalKind }[];
  };
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Global<T> {
    value: T;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class CompileError extends Error {}
  class RuntimeError extends Error {}
  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Record<string, Record<string, unknown>>): Promise<Instance>;
}
