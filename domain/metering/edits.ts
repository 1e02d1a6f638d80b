import type { Canonical } from './operands.ts';

/** What is put into the code of a function, each at an offset of the module. */
export const EDIT = {
  /** A basic block begins: its cost. */
  charge: 0,
  /** The same at the head of a loop, where the run also ends when no fuel is left. */
  loop: 1,
  /** Before a call, of a kind of `CALL`. */
  call: 2,
  /** The function is left by a tail call. */
  leave: 3,
  /** Replaces `return` (one byte): a jump to the function's end, out of so many blocks. */
  return: 4,
  /** Replaces `memory.grow`, of so many bytes. */
  grow: 5,
  /** Counts the bytes, or the entries, on top of the stack. */
  bytes: 6,
  entries: 7,
} as const;

/** What is called: WASI, which has to see what is left of the fuel; a function; one that counts its frame. */
export const CALL = { wasi: 0, plain: 1, counted: 2 } as const;

/** The edits of one function in the order of their offsets. */
export class Edits {
  readonly offsets: number[] = [];
  readonly kinds: number[] = [];
  readonly values: number[] = [];
  readonly canonical: Canonical = new Map();

  /** Answers with its place, for `values`. */
  add(kind: number, offset: number, value = 0): number {
    this.kinds.push(kind);
    this.values.push(value);
    return this.offsets.push(offset) - 1;
  }
}
