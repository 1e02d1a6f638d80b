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

const secondsOf = (ticks: readonly string[]): number =>
  ticks.reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;

/** Processes by that of their parents, as they are now. */
const children = (): ReadonlyMap<number, readonly number[]> =>
  Map.groupBy(
    readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0),
    (pid) => Number(statOf(pid)[1]),
  );

/** A process and all that descend from it, as they are now. Linux only. */
export const processTree = (root: number): readonly number[] => {
  const byParent = children();
  const found = [root];
  for (const pid of found) found.push(...(byParent.get(pid) ?? []));
  return found;
};

/** Names of processes, by their ids, and what the descendants of each that have no name of their own are called. */
export interface ProcessNames {
  nameOf(pid: number): string | undefined;
  ofDescendants(name: string): string;
}

/**
 * CPU seconds that a process and its descendants have used since they began, by name, those that have ended included:
 * what ended and was waited for counts with its parent (cutime and cstime), here under the name of its descendants.
 */
export const cpuSecondsByName = (root: number, names: ProcessNames): Readonly<Record<string, number>> => {
  const byParent = children();
  const used: Record<string, number> = {};
  const add = (name: string, seconds: number) => {
    used[name] = (used[name] ?? 0) + seconds;
  };
  const visit = (pid: number, inherited: string): void => {
    const given = names.nameOf(pid);
    const name = given ?? inherited;
    const ofDescendants = given === undefined ? inherited : names.ofDescendants(given);
    const times = statOf(pid).slice(11, 15);
    add(name, secondsOf(times.slice(0, 2)));
    add(ofDescendants, secondsOf(times.slice(2)));
    for (const child of byParent.get(pid) ?? []) visit(child, ofDescendants);
  };
  visit(root, names.nameOf(root) ?? '');
  return used;
};

const EVERYTHING: ProcessNames = { nameOf: () => undefined, ofDescendants: (name) => name };

/** The same as one number. */
export const cpuSecondsOf = (root: number): number => cpuSecondsByName(root, EVERYTHING)[''] ?? 0;

export interface Memory {
  /** Bytes. Proportional set size: what processes share is divided among them. */
  readonly pss: number;
  /** Bytes. Resident set size: what processes share counts for each. */
  readonly rss: number;
}

/** Memory of a process alone; none when it has ended. */
export const memoryOfProcess = (pid: number): Memory => {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const [pss, rss] = ['Pss', 'Rss'].map(
    (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024,
  ) as [number, number];
  return { pss, rss };
};

/** Proportional set size of a process and its descendants, bytes. */
export const memoryOf = (root: number): number =>
  processTree(root).reduce((sum, pid) => sum + memoryOfProcess(pid).pss, 0);
