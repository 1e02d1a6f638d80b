import { readFile } from 'node:fs/promises';
import wabt from 'wabt';

/** Assembles WebAssembly text; `name` appears in error messages only. */
export const assemble = async (name: string, text: string): Promise<Uint8Array> => {
  const { parseWat } = await wabt();
  const module = parseWat(name, text, { exceptions: true, reference_types: true, bulk_memory: true });
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
};

/** Assembles a `.wat` file of this folder. */
export const assembleTestModule = async (name: string): Promise<Uint8Array> =>
  assemble(name, await readFile(new URL(`./${name}.wat`, import.meta.url), 'utf8'));
