import { LRUCache } from 'lru-cache';
import type { FieldError } from '../../../domain/errors.ts';
import type { Artifacts } from '../../../domain/ports/artifacts.ts';
import { startingMemoryMb } from '../../../infra/sandbox/wasm-memory.ts';

/** Modules of which a process remembers what they start with. */
const REMEMBERED = 1_000;

/** The rules that `memoryMb` breaks for a stored module. */
export type MemoryRule = (codeHash: string, memoryMb: number) => Promise<FieldError[]>;

/**
 * A module that starts with more memory than its enclave has runs on no node, and none would be at fault. A process reads
 * one module at a time, and each once: whoever asks a hundred times holds no more of it than whoever asks once.
 */
export const createMemoryRule = (artifacts: Pick<Artifacts, 'read'>): MemoryRule => {
  const known = new LRUCache<string, number>({ max: REMEMBERED });
  let last: Promise<unknown> = Promise.resolve();

  const look = async (codeHash: string): Promise<number> => {
    const before = known.get(codeHash);
    if (before !== undefined) return before;
    const module = await artifacts.read(codeHash);
    if (!module) return 0;
    const needed = startingMemoryMb(module);
    known.set(codeHash, needed);
    return needed;
  };

  return async (codeHash, memoryMb) => {
    const next = last.then(() => look(codeHash));
    last = next.catch(() => undefined);
    const needed = await next;
    return memoryMb < needed
      ? [{ field: 'memory_mb', rule: `at least ${needed}, which the module starts with` }]
      : [];
  };
};
