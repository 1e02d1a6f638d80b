import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { cpuSecondsByName, cpuSecondsOf, memoryOf, memoryOfProcess, processTree } from './process-tree.ts';

/** Has a child use 200 ms of CPU and end, says so, and waits. */
const PARENT = `
import { spawnSync } from 'node:child_process';
const busy = 'const end = process.cpuUsage().user + 200_000; while (process.cpuUsage().user < end);';
spawnSync(process.execPath, ['-e', busy]);
console.log('waited for');
setInterval(() => undefined, 60_000);
`;

test.runIf(process.platform === 'linux')('what a child used that has ended still counts', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = parent.pid as number;
  try {
    expect(cpuSecondsOf(pid)).toBeLessThan(0.2);
    await once(parent.stdout, 'data');
    expect(processTree(pid)).toEqual([pid]);
    expect(cpuSecondsOf(pid)).toBeGreaterThan(0.2);
    const named = cpuSecondsByName(pid, {
      nameOf: (each) => (each === pid ? 'parent' : undefined),
      ofDescendants: (name) => `started by ${name}`,
    });
    expect(Object.keys(named).toSorted()).toEqual(['parent', 'started by parent']);
    expect(named['started by parent']).toBeGreaterThan(0.2);
    expect(processTree(process.pid)).toEqual(expect.arrayContaining([process.pid, pid]));
    expect(memoryOf(process.pid)).toBeGreaterThan(memoryOf(pid));
    expect(memoryOf(pid)).toBeGreaterThan(2 ** 20);
    const { pss, rss } = memoryOfProcess(pid);
    expect(rss).toBeGreaterThanOrEqual(pss);
  } finally {
    parent.kill('SIGKILL');
  }
});
