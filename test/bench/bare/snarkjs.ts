import { readFile } from 'node:fs/promises';
import { groth16 } from 'snarkjs';

/** Program: proves with snarkjs and nothing around it. It gets files and input once, then proves at every message. */
interface Task {
  readonly wasm: string;
  readonly zkey: string;
  readonly input: object;
}

let task: { readonly wasm: Uint8Array; readonly zkey: Uint8Array; readonly input: object } | null = null;

const take = async (given: Task | 'prove'): Promise<void> => {
  if (given !== 'prove') {
    const [wasm, zkey] = await Promise.all([readFile(given.wasm), readFile(given.zkey)]);
    task = { wasm: new Uint8Array(wasm), zkey: new Uint8Array(zkey), input: given.input };
  } else if (task) {
    await groth16.fullProve(task.input, task.wasm, task.zkey);
  }
  process.send?.('done');
};

process.on('message', (given: Task | 'prove') => void take(given));

process.on('disconnect', () => process.exit());
