import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what Linux counts /proc times in, on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, and what it used is its parent's now.
    return '';
  }
};

/** Fields of proc_pid_stat(5) from the third on: the second may hold blanks, but ends with the last parenthesis. */
const statOf = (pid: number): readonly string[] => {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** A process and all that descend from it, as they are now. Linux only. */
export const processTree = (root: number): readonly number[] => {
  const children = Map.groupBy(
    readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0),
    (pid) => Number(statOf(pid)[1]),
  );
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
};

/**
 * CPU seconds that a process and its descendants have used since they began, those that have ended included: what ended
 * and was waited for counts with its parent (utime, stime, cutime and cstime).
 */
export const cpuSecondsOf = (root: number): number =>
  processTree(root)
    .flatMap((pid) => statOf(pid).slice(11, 15))
    .reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;

/** Proportional set size of a process and its descendants, bytes: what they share is counted once. */
export const memoryOf = (root: number): number =>
  processTree(root).reduce((sum, pid) => {
    const kB = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
    return sum + Number(kB ?? 0) * 1024;
  }, 0);
