import { readFileSync } from 'node:fs';

export interface ProcessUsage {
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/** USER_HZ: what Linux counts /proc times in, on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

const parseUsage = (stat: string, status: string): ProcessUsage => {
  // Fields 14 and 15 of proc_pid_stat(5); the second field may hold blanks, but ends with the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const peak = /VmHWM:\s+(\d+) kB/.exec(status);
  return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, peakMemoryBytes: Number(peak?.[1] ?? 0) * 1024 };
};

/** What process `pid` has used so far; null where the system does not tell (no /proc, or it has ended). */
export const usageOf = (pid: number): ProcessUsage | null => {
  try {
    return parseUsage(readFileSync(`/proc/${pid}/stat`, 'utf8'), readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};
