import { readdirSync, readFileSync } from 'node:fs';
import { sendSignal } from '../../infra/stack/process-identity.ts';

/** Parent of a process, by proc(5): after the last `)` come its state and its parent's id. Null when it is gone. */
const parentOf = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
};

const childrenOf = (parents: ReadonlySet<number>): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parents.has(parentOf(pid) ?? 0));

/**
 * Stops a process and all that it has started (PostgreSQL's sessions are processes of their own), as a host does that
 * swaps or whose machine is suspended: its sockets stay open and nobody answers. Linux only.
 * @returns lets them go on.
 */
export const stall = (pid: number): (() => void) => {
  const stopped = new Set<number>();
  // A process that was stopped starts no more: the tree is whole when a look finds nobody new.
  for (let found = [pid]; found.length > 0; found = childrenOf(stopped).filter((each) => !stopped.has(each)))
    for (const each of found) {
      sendSignal(each, 'SIGSTOP');
      stopped.add(each);
    }
  return () => {
    for (const each of stopped) sendSignal(each, 'SIGCONT');
  };
};
