import { readFile } from 'node:fs/promises';
import wabt from 'wabt';

const FEATURES = {
  exceptions: true,
  threads: true,
  reference_types: true,
  bulk_memory: true,
  simd: true,
  relaxed_simd: true,
  tail_call: true,
  multi_memory: true,
  memory64: true,
};

/** Assembles WebAssembly text; `name` appears in error messages only. */
export const assemble = async (name: string, text: string): Promise<Uint8Array> => {
  const { parseWat } = await wabt();
  const module = parseWat(name, text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
};

/** Assembles a `.wat` file of this folder. */
export const assembleTestModule = async (name: string): Promise<Uint8Array> =>
  assemble(name, await readFile(new URL(`./${name}.wat`, import.meta.url), 'utf8'));
