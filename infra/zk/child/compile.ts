import fs, { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bindings, CircomRunner } from 'circom2';
import type { Compiled, Jobs } from './protocol.ts';

const { resolve } = createRequire(import.meta.url);

/** Constraint systems keep the same form: -O1 would leave linear constraints in. */
const FLAGS = ['--O2', '--r1cs', '--wasm'];

/** The header of an r1cs file (version 1): section 1 holds field size, prime, then the counts. */
const headerOf = (r1cs: Buffer): Compiled => {
  let at = 12;
  while (r1cs.readUInt32LE(at) !== 1) at += 12 + Number(r1cs.readBigUInt64LE(at + 4));
  const counts = at + 12 + 4 + r1cs.readUInt32LE(at + 12);
  return {
    constraints: r1cs.readUInt32LE(counts + 24),
    publicInputs: r1cs.readUInt32LE(counts + 4) + r1cs.readUInt32LE(counts + 8),
  };
};

/** Runs circom, itself a WebAssembly module that sees nothing but these folders. */
export const compile = async ({ source, includes, directory }: Jobs['compile']['job']): Promise<Compiled> => {
  const work = join(directory, 'compiler');
  await mkdir(join(work, 'out'), { recursive: true });
  await writeFile(join(work, 'circuit.circom'), source);
  const libraries = includes.map((folder, index) => [`include${index}`, folder] as const);
  const circom = new CircomRunner({
    args: ['work/circuit.circom', ...FLAGS, ...libraries.flatMap(([name]) => ['-l', name]), '-o', 'work/out'],
    env: {},
    preopens: { work, ...Object.fromEntries(libraries) },
    bindings: { ...bindings, fs },
  });
  try {
    await circom.execute(readFileSync(resolve('circom2/circom.wasm')));
  } catch (error) {
    throw new Error('circom refused the circuit', { cause: error });
  }
  await rename(join(work, 'out', 'circuit.r1cs'), join(directory, 'circuit.r1cs'));
  await rename(join(work, 'out', 'circuit_js', 'circuit.wasm'), join(directory, 'circuit.wasm'));
  await rm(work, { recursive: true });
  return headerOf(readFileSync(join(directory, 'circuit.r1cs')));
};
