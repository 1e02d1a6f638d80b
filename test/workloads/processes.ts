import { readFile } from 'node:fs/promises';

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // The process ended in between.
    return '';
  }
};

/** Pids of all descendants of a process, from /proc. */
export const descendants = async (pid: number): Promise<number[]> => {
  const children = (await read(`/proc/${pid}/task/${pid}/children`)).split(' ').filter(Boolean).map(Number);
  const deeper = await Promise.all(children.map(descendants));
  return [...children, ...deeper.flat()];
};

/** Those of `pids` that still run; a zombie does not. */
export const running = async (pids: readonly number[]): Promise<number[]> => {
  const states = await Promise.all(pids.map((pid) => read(`/proc/${pid}/stat`)));
  return pids.filter((_, index) => /\) [^ZX]/.test(states[index] ?? ''));
};

/** Waits until a process has at least `count` descendants other than `known`; they have booted far enough to be seen. */
export const newDescendants = async (
  pid: number,
  count: number,
  known: readonly number[] = [],
): Promise<number[]> => {
  const found = (await descendants(pid)).filter((each) => !known.includes(each));
  return found.length < count ? newDescendants(pid, count, known) : found;
};
