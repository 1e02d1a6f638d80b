import { type Memory, memoryOfProcess, processTree } from '../../support/process-tree.ts';
import type { Stack } from '../../support/stack.ts';
import { timed } from '../harness.ts';
import type { Figures } from '../measurement.ts';

const MIB = 2 ** 20;

const sumOf = (memories: readonly Memory[], size: keyof Memory): number =>
  memories.reduce((sum, memory) => sum + memory[size], 0) / MIB;

/** Memory of a stack as it is now, MiB, after so many jobs. */
export const memoryFigures = (stack: Stack, jobs: number): Figures => {
  const named = new Map(Object.entries(stack.pids()).map(([name, pid]) => [pid, name]));
  const all = processTree(stack.pid).map(memoryOfProcess);
  /** Of a process with what it has started. */
  const ofNamed = [...named].map(([pid, name]) => {
    const tree = processTree(pid).map(memoryOfProcess);
    return { name, pss: sumOf(tree, 'pss'), rss: sumOf(tree, 'rss'), own: memoryOfProcess(pid) };
  });
  const own = ofNamed.filter(({ name }) => /^(?:worker|node)\b/.test(name));
  const worst = (kind: string, size: keyof Memory): number =>
    Math.max(...own.filter(({ name }) => name.startsWith(kind)).map((each) => each.own[size])) / MIB;
  const total = sumOf(all, 'pss');
  return {
    stack: {
      ...timed(total),
      parts: {
        'after jobs': jobs,
        ...Object.fromEntries(ofNamed.map(({ name, pss }) => [name, pss])),
        supervisor: total - ofNamed.reduce((sum, { pss }) => sum + pss, 0),
      },
    },
    worker: {
      ...timed(worst('worker', 'rss')),
      parts: { 'proportional set size': worst('worker', 'pss') },
    },
    node: {
      ...timed(worst('node', 'rss')),
      parts: Object.fromEntries(
        own
          .filter(({ name }) => name.startsWith('node'))
          .flatMap((each) => [
            [`${each.name} proportional`, each.own.pss / MIB],
            [`${each.name} resident`, each.own.rss / MIB],
          ]),
      ),
    },
  };
};
