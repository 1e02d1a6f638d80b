import { BULK_BYTES_SHIFT, PAGE_FUEL, TABLE_ENTRY_SHIFT } from './costs.ts';
import { ENDED } from './host-interface.ts';
import { OP } from './opcodes.ts';
import { Output } from './output.ts';

/** Indices of what metering adds to a module: globals, and helper functions. */
export interface Added {
  readonly fuel: number;
  readonly ended: number;
  readonly pages: number;
  readonly refused: number;
  readonly stack: number;
  readonly pay: number;
  readonly exhausted: number;
  readonly overflow: number;
  readonly grow: number;
  readonly bytes: number;
  readonly entries: number;
}

/** Names of the globals in the order of their indices. */
export const ADDED_GLOBALS = ['fuel', 'ended', 'pages', 'refused', 'stack'] as const;
/** Names of the functions in the order of their indices. */
export const ADDED_FUNCTIONS = ['pay', 'exhausted', 'overflow', 'grow', 'bytes', 'entries'] as const;

const { globalGet, globalSet, localGet, localSet, localTee, i32Const, i64Const, end } = OP;
const VOID = 0x40;
const I32 = 0x7f;
const I64 = 0x7e;

const code = (locals: readonly number[], write: (out: Output) => void): Output => {
  const out = new Output().u32(locals.length);
  for (const type of locals) out.byte(1).byte(type);
  write(out);
  return out.byte(end);
};

/** `ended = why; unreachable`. */
const stop = (out: Output, { ended }: Added, why: number): Output =>
  out.byte(i32Const).signed(why).byte(globalSet).u32(ended).byte(OP.unreachable);

/** Takes fuel (an i64 on the stack) from what is left; ends the run when that was not enough. */
const take = (out: Output, added: Added, local: number): void => {
  out.byte(localSet).u32(local).byte(globalGet).u32(added.fuel).byte(localGet).u32(local).byte(OP.i64Sub);
  out.byte(localTee).u32(local).byte(globalSet).u32(added.fuel);
  out.byte(localGet).u32(local).byte(i64Const).signed(0).byte(OP.i64LtS).byte(OP.if).byte(VOID);
  stop(out, added, ENDED.fuel).byte(end);
};

/** (fuel) → 0: pays what a function has added up. */
const pay = (added: Added): Output =>
  code([I64], (out) => {
    out.byte(localGet).u32(0).byte(OP.i64ExtendI32U);
    take(out, added, 1);
    out.byte(i32Const).signed(0);
  });

/** () → (): the fuel is used up. */
const exhausted = (added: Added): Output => code([], (out) => void stop(out, added, ENDED.fuel));

/** () → (): the stack is used up. */
const overflow = (added: Added): Output => code([], (out) => void stop(out, added, ENDED.stack));

/**
 * (pages) → previous size or −1: memory.grow, decided by the enclave's limit and the module's own maximum alone and paid
 * by size. `maximum`: the module's own, in pages.
 */
const grow = (added: Added, maximum: number): Output =>
  code([I64, I32], (out) => {
    const { pages, refused } = added;
    const wanted = (): Output =>
      out
        .byte(OP.memorySize)
        .byte(0)
        .byte(OP.i64ExtendI32U)
        .byte(localGet)
        .u32(0)
        .byte(OP.i64ExtendI32U)
        .byte(OP.i64Add);
    const refuseBeyond = (limit: () => void, byEnclave: number): void => {
      out.byte(localGet).u32(1);
      limit();
      out.byte(I64_GT_S).byte(OP.if).byte(VOID);
      out.byte(i32Const).signed(byEnclave).byte(globalSet).u32(refused);
      out.byte(i32Const).signed(-1).byte(OP.return).byte(end);
    };
    wanted().byte(localSet).u32(1);
    refuseBeyond(() => out.byte(i64Const).signed(maximum), 0);
    refuseBeyond(() => out.byte(globalGet).u32(pages).byte(OP.i64ExtendI32U), 1);
    out.byte(i32Const).signed(0).byte(globalSet).u32(refused);
    out.byte(localGet).u32(0).byte(OP.i64ExtendI32U).byte(i64Const).signed(PAGE_FUEL).byte(OP.i64Mul);
    take(out, added, 1);
    out.byte(localGet).u32(0).byte(OP.memoryGrow).byte(0).byte(localTee).u32(2);
    out.byte(i32Const).signed(-1).byte(I32_EQ).byte(OP.if).byte(VOID);
    stop(out, added, ENDED.host).byte(end);
    out.byte(localGet).u32(2);
  });

const I32_EQ = 0x46;
const I64_GT_S = 0x55;

/** (count) → count, paid: `shift` bits fewer for bytes, more for entries. */
const sized = (added: Added, operation: number, shift: number): Output =>
  code([I64], (out) => {
    out.byte(localGet).u32(0).byte(OP.i64ExtendI32U).byte(i64Const).signed(shift).byte(operation);
    take(out, added, 1);
    out.byte(localGet).u32(0);
  });

/** The bodies of `ADDED_FUNCTIONS`; `maximum`: pages that the module itself allows its memory. */
export const helperBodies = (added: Added, maximum: number): readonly Output[] => [
  pay(added),
  exhausted(added),
  overflow(added),
  grow(added, maximum),
  sized(added, OP.i64ShrU, BULK_BYTES_SHIFT),
  sized(added, OP.i64Shl, TABLE_ENTRY_SHIFT),
];

/** () → (): pays `fuel`, then calls `functions` in turn, each with the whole `stack`. */
export const runBody = (
  added: Added,
  { fuel, stack }: { readonly fuel: number; readonly stack: number },
  functions: readonly number[],
): Output =>
  code([I64], (out) => {
    out.byte(i64Const).signed(fuel);
    take(out, added, 0);
    for (const index of functions) {
      out.byte(i32Const).signed(stack).byte(globalSet).u32(added.stack);
      out.byte(OP.call).u32(index);
    }
  });
