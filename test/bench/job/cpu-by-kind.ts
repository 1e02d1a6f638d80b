import { cpuSecondsByName } from '../../support/process-tree.ts';
import type { Stack } from '../../support/stack.ts';

/** CPU seconds by kind of process: `api`, `worker`, `node`, `enclave` and so on. */
export type Kinds = Readonly<Record<string, number>>;

/** What a process starts, where it has another name than its own: `node-aws` and `node-gcp` are both `node`. */
const DESCENDANTS: Readonly<Record<string, string>> = { node: 'enclave', postgres: 'postgres' };

const kindOf = (name: string): string => name.replace(/-.*$/, '');

/** CPU seconds that the processes of a stack have used since they began, by kind. */
export const cpuByKind = (stack: Stack): Kinds => {
  const kinds = new Map(Object.entries(stack.pids()).map(([name, pid]) => [pid, kindOf(name)]));
  kinds.set(stack.pid, 'supervisor');
  return cpuSecondsByName(stack.pid, {
    nameOf: (pid) => kinds.get(pid),
    ofDescendants: (kind) => DESCENDANTS[kind] ?? `${kind}'s children`,
  });
};

/** `times` of the second taken off the first. */
export const minus = (kinds: Kinds, taken: Kinds, times = 1): Kinds =>
  Object.fromEntries(Object.entries(kinds).map(([kind, cpu]) => [kind, cpu - (taken[kind] ?? 0) * times]));

/** Of one of so many jobs, or seconds; kinds of which there was nothing are left out. */
export const per = (kinds: Kinds, count: number): Kinds =>
  Object.fromEntries(
    Object.entries(kinds)
      .filter(([, cpu]) => Math.abs(cpu) >= 0.001)
      .map(([kind, cpu]) => [kind, cpu / count]),
  );

export const totalOf = (kinds: Kinds): number => Object.values(kinds).reduce((sum, cpu) => sum + cpu, 0);
