import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../test/workloads/assemble.ts';
import { createWasi } from '../sandbox/wasi/shim.ts';
import { virtualClock } from '../sandbox/wasi/virtual-clock.ts';

const file = (name: string) => readFile(new URL(`./${name}`, import.meta.url));

let wasm: Uint8Array;
beforeAll(async () => {
  wasm = new Uint8Array(await file('word-count.wasm'));
});

const count = async (stdin: Uint8Array): Promise<string> => {
  let output = '';
  const wasi = createWasi({
    args: [],
    stdin,
    clock: virtualClock(0),
    fillRandom: () => undefined,
    writeStdout: (bytes) => {
      output += new TextDecoder().decode(bytes);
      return true;
    },
    writeStderr: () => undefined,
    pay: () => true,
  });
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(wasm), {
    wasi_snapshot_preview1: wasi.imports,
  });
  wasi.attach(instance.exports['memory'] as WebAssembly.Memory);
  (instance.exports['_start'] as () => void)();
  return output;
};

describe('the sample workload', () => {
  it('is the committed text, assembled byte for byte', async () => {
    const text = await file('word-count.wat');
    expect(Buffer.from(await assemble('word-count.wat', text.toString('utf8')))).toEqual(Buffer.from(wasm));
  });

  it('counts words like a regular expression does', async () => {
    const piece = fc.constantFrom('a', 'word', 'Wörter', ' ', '\n', '\t', '\r\n', '\v', '\f', '  ', '\0');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
        const text = pieces.join('');
        const words = text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '').length;
        expect(await count(new TextEncoder().encode(text))).toBe(`words: ${words}\n`);
      }),
    );
  });

  it('counts a word once that lies across two reads', async () => {
    const text = 'x'.repeat(65_530) + ' across-the-border '.repeat(4000);
    expect(await count(new TextEncoder().encode(text))).toBe('words: 4001\n');
  });
});
