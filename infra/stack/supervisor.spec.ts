import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProcessSpec } from './process.ts';
import { startTimeOf } from './process-identity.ts';
import { openProcessRegistry } from './process-registry.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

const FOREVER = 'setInterval(() => undefined, 1000);';
const SAY_READY = "console.log('ready');";

let directory: string;
let lines: string[];
let bystander: ChildProcess;
let supervisor: Supervisor;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'aivillage-supervisor-'));
  lines = [];
  bystander = spawn(process.execPath, ['-e', FOREVER], { stdio: 'ignore' });
  await once(bystander, 'spawn');
  supervisor = await create();
});
afterEach(async () => {
  await supervisor.stop();
  bystander.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const create = async () =>
  createSupervisor({
    registry: await openProcessRegistry(registryFile(), (line) => lines.push(line)),
    report: (line) => lines.push(line),
    backOff: { minMs: 20, maxMs: 60, resetMs: 60_000 },
  });
const registryFile = () => join(directory, 'run', 'processes.json');
const recordedPids = () =>
  (JSON.parse(readFileSync(registryFile(), 'utf8')) as { children: { pid: number }[] }).children.map(
    ({ pid }) => pid,
  );

const program = (name: string, script: string, more: Partial<ProcessSpec> = {}): ProcessSpec => {
  const logFile = join(directory, 'logs', `${name}.log`);
  return {
    name,
    command: process.execPath,
    args: ['-e', script],
    env: {},
    logFile,
    isReady: async () => readFileSync(logFile, 'utf8').includes('ready'),
    ...more,
  };
};

/** The process id of a child, once it has another one than `previous`. */
const pidOf = (name: string, previous?: number): Promise<number> =>
  vi.waitFor(
    () => {
      const pid = supervisor.pids().get(name);
      if (pid === undefined || pid === previous) throw new Error(`${name} does not run yet`);
      return pid;
    },
    { timeout: 10_000 },
  );

test('a killed child is restarted after growing waits, each with a clear line', async () => {
  await supervisor.start(program('echo', SAY_READY + FOREVER));
  let pid = await pidOf('echo');
  for (let round = 1; round <= 3; round++) {
    process.kill(pid, 'SIGKILL');
    pid = await pidOf('echo', pid);
    await vi.waitFor(() => expect(lines.filter((line) => line === 'echo is up again')).toHaveLength(round));
  }
  const waits = lines.flatMap(
    (line) => /^echo was killed by SIGKILL: restarting in (\S+) s/.exec(line)?.[1] ?? [],
  );
  expect(waits).toEqual(['0.02', '0.04', '0.06']);
  expect(recordedPids()).toEqual([pid]);
});

test('stop ends its own children in reverse order, with what they had started, and nothing else', async () => {
  const order = join(directory, 'order');
  const obedient = (name: string) =>
    `process.on('SIGTERM', () => { require('node:fs').appendFileSync(${JSON.stringify(order)}, '${name} '); process.exit(0); });`;
  const grandchild = `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', '${FOREVER}'], { stdio: 'ignore' });
    require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'grandchild'))}, String(pid));`;
  await supervisor.start(program('first', obedient('first') + SAY_READY + FOREVER));
  await supervisor.start(program('second', grandchild + obedient('second') + SAY_READY + FOREVER));
  const pids = [...supervisor.pids().values(), Number(readFileSync(join(directory, 'grandchild'), 'utf8'))];
  expect(pids).toHaveLength(3);

  await supervisor.stop();

  expect(readFileSync(order, 'utf8')).toBe('second first ');
  await vi.waitFor(() => expect(pids.map(startTimeOf)).toEqual([null, null, null]));
  expect(startTimeOf(bystander.pid as number)).not.toBeNull();
  expect(lines).toEqual([]);
  expect(recordedPids()).toEqual([]);
});

test('a child that ignores its stop signal is killed after its time', async () => {
  await supervisor.start(
    program('deaf', `process.on('SIGTERM', () => undefined);${SAY_READY}${FOREVER}`, { stopTimeoutMs: 50 }),
  );
  const pid = await pidOf('deaf');
  await supervisor.stop();
  expect(startTimeOf(pid)).toBeNull();
});

test('a first start that fails says why at once, with the end of the log', async () => {
  const failing = program('broken', "console.error('no such table'); process.exit(3);");
  await expect(supervisor.start(failing)).rejects.toThrow(
    /broken exited with code 3 before it was ready\n.*no such table/s,
  );
  const silent = program('silent', FOREVER, { readyTimeoutMs: 100 });
  await expect(supervisor.start(silent)).rejects.toThrow('silent was not ready after 0.1 s');
  const missing = program('missing', '', { command: join(directory, 'nothing') });
  await expect(supervisor.start(missing)).rejects.toThrow('missing cannot be started');
  expect(supervisor.pids().size).toBe(0);
  expect(recordedPids()).toEqual([]);
});

test('the log of a crash is kept beside the log of the restart', async () => {
  const once = join(directory, 'once');
  const script = `const fs = require('node:fs');
    if (fs.existsSync(${JSON.stringify(once)})) { ${SAY_READY}${FOREVER} } else { fs.writeFileSync(${JSON.stringify(once)}, ''); console.log('ready, then a crash'); setTimeout(() => process.exit(1), 100); }`;
  await supervisor.start(program('crash', script));
  await vi.waitFor(() => expect(lines).toContain('crash is up again'), { timeout: 10_000 });
  expect(readFileSync(join(directory, 'logs', 'crash.log.1'), 'utf8')).toContain('then a crash');
});

test('orphans of a killed supervisor are stopped, processes that merely reuse their ids are not', async () => {
  const orphan = spawn(process.execPath, ['-e', FOREVER], { stdio: 'ignore', detached: true });
  await once(orphan, 'spawn');
  const recorded = (name: string, child: ChildProcess, startTime: string | null) => ({
    name,
    pid: child.pid,
    startTime,
    stopSignal: 'SIGTERM',
  });
  const children = [
    recorded('left', orphan, startTimeOf(orphan.pid as number)),
    recorded('reused', bystander, 'another time'),
  ];
  const owner = { name: 'supervisor', pid: bystander.pid, startTime: 'another time', stopSignal: 'SIGTERM' };
  writeFileSync(registryFile(), JSON.stringify({ owner, children }));

  supervisor = await create();

  expect(lines).toEqual([`left (process ${orphan.pid}) was left over from an earlier run: stopping it`]);
  expect(startTimeOf(orphan.pid as number)).toBeNull();
  expect(startTimeOf(bystander.pid as number)).not.toBeNull();
});

test('a second supervisor on the same data directory is refused', async () => {
  const owner = {
    name: 'supervisor',
    pid: bystander.pid,
    startTime: startTimeOf(bystander.pid as number),
    stopSignal: 'SIGTERM',
  };
  const record = JSON.stringify({ owner, children: [] });
  writeFileSync(registryFile(), record);
  await expect(create()).rejects.toThrow(`already running on this data directory (process ${bystander.pid})`);
  expect(existsSync(registryFile()) && readFileSync(registryFile(), 'utf8')).toBe(record);
});
