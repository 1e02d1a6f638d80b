import type { Trap } from '../../domain/proof/record.ts';

/**
 * What V8 says of a trap, by kind. The same instruction has the same message in each of its compilers; a message that is
 * not here is no outcome, for nobody could say what it means elsewhere.
 */
const MESSAGES: readonly (readonly [RegExp, Trap])[] = [
  [/^unreachable$/, 'unreachable'],
  [/^memory access out of bounds$/, 'memory_out_of_bounds'],
  [/^data segment (\d+ )?(is )?out of bounds/, 'memory_out_of_bounds'],
  [/^table (index is|access|index) out of bounds$/, 'table_out_of_bounds'],
  [/^(element|table) segment (\d+ )?(is )?out of bounds/, 'table_out_of_bounds'],
  [/^table initializer \d+: /, 'table_out_of_bounds'],
  [/^(divide|remainder) by zero$/, 'divide_by_zero'],
  [/^divide result unrepresentable$/, 'integer_overflow'],
  [/^float unrepresentable in integer range$/, 'invalid_conversion'],
  [/^null function or function signature mismatch$/, 'indirect_call_mismatch'],
];

/** The kind of a trap by the engine's message (with or without a prefix that names the call); null: not a known trap. */
export const trapOf = (message: string): Trap | null => {
  const text = message.replace(/^WebAssembly\.\w+\(\): /, '');
  return MESSAGES.find(([form]) => form.test(text))?.[1] ?? null;
};
