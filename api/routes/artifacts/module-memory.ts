import type { FieldError } from '../../../domain/errors.ts';
import type { Artifacts } from '../../../domain/ports/artifacts.ts';
import { startingMemoryMb } from '../../../infra/sandbox/wasm-memory.ts';

/** A module that starts with more memory than its enclave has runs on no node, and none would be at fault. */
export const memoryErrors = async (
  artifacts: Pick<Artifacts, 'read'>,
  codeHash: string,
  memoryMb: number,
): Promise<FieldError[]> => {
  const module = await artifacts.read(codeHash);
  const needed = module ? startingMemoryMb(module) : 0;
  return memoryMb < needed
    ? [{ field: 'memory_mb', rule: `at least ${needed}, which the module starts with` }]
    : [];
};
