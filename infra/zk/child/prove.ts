import { readFile } from 'node:fs/promises';
import { groth16, wtns } from 'snarkjs';
import { createLog } from './log.ts';
import type { CircuitInput, Jobs, Proved } from './protocol.ts';

/** Files of circuits used last: a key has a few megabytes. */
const KEPT = 8;
const files = new Map<string, Uint8Array>();

const bytesOf = async (path: string): Promise<Uint8Array> => {
  const bytes = files.get(path) ?? new Uint8Array(await readFile(path));
  // A file that is used moves to the end.
  files.delete(path);
  files.set(path, bytes);
  if (files.size > KEPT) files.delete(files.keys().next().value as string);
  return bytes;
};

/** The witness, or null when the input breaks an assertion of the circuit. */
const witnessOf = async (wasm: string, input: CircuitInput): Promise<Uint8Array | null> => {
  const witness: { type: 'mem'; data?: Uint8Array } = { type: 'mem' };
  try {
    await wtns.calculate(input, await bytesOf(wasm), witness);
  } catch (error) {
    // The message names template and line of the assertion, never a value.
    if (error instanceof Error && error.message.includes('Assert Failed')) return null;
    throw error;
  }
  if (!witness.data) throw new Error('the witness was not written');
  return witness.data;
};

export const prove = async ({ wasm, zkey, input }: Jobs['prove']['job']): Promise<Proved> => {
  const witness = await witnessOf(wasm, input);
  if (!witness) return { satisfied: false };
  const { proof, publicSignals } = await groth16.prove(await bytesOf(zkey), witness);
  return { satisfied: true, proof, publicInputs: publicSignals };
};

export const check = async ({
  wasm,
  r1cs,
  input,
}: Jobs['check']['job']): Promise<Jobs['check']['result']> => {
  const witness = await witnessOf(wasm, input);
  return { satisfied: witness !== null && (await wtns.check(await bytesOf(r1cs), witness, createLog().log)) };
};
