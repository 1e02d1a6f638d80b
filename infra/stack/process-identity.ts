import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * What tells a process from a later one with the same id: its start time, in the system's own form. Null when no such
 * process runs (a zombie does not run).
 */
export const startTimeOf = (pid: number): string | null =>
  process.platform === 'linux' ? fromProcFs(pid) : fromPs(pid);

/** proc(5): after the last `)` come the state as first and `starttime`, in ticks since boot, as 20th field. */
const fromProcFs = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
};

const fromPs = (pid: number): string | null => {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
};

/** Sends `signal` to process or, negative, group `pid`. False when it is gone. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};
