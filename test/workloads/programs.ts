import { readdir, readFile } from 'node:fs/promises';
import { assemble } from './assemble.ts';

/**
 * Programs of a few dozen to a few hundred lines that do what programs do: calls, loops, floats, tables, memory. Each
 * file has a function `$main` whose number is written to standard output, eight bytes, little-endian.
 */
const FOLDER = new URL('./programs/', import.meta.url);

const whole = (text: string): string => `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  ${text}
  (func (export "_start")
    (i64.store (i32.const 16) (call $main))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 8))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

/** Names of the programs. */
export const programNames = async (): Promise<string[]> =>
  (await readdir(FOLDER)).map((file) => file.replace(/\.wat$/, '')).sort();

/** A program as a WASI command. */
export const assembleProgram = async (name: string): Promise<Uint8Array> =>
  assemble(name, whole(await readFile(new URL(`${name}.wat`, FOLDER), 'utf8')));
