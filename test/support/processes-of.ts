import { readdirSync, readFileSync } from 'node:fs';
import { startTimeOf } from '../../infra/stack/process-identity.ts';

const mentions = (pid: number, text: string): boolean =>
  ['cmdline', 'environ'].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(text);
    } catch {
      // It has just ended, or belongs to somebody else.
      return false;
    }
  });

/** Ids of the processes that were started on the data directory `home`: it is in their arguments or environment. Linux only. */
export const processesOf = (home: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && startTimeOf(pid) !== null && mentions(pid, home));
