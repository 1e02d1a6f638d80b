import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LocalPorts } from '../../infra/config/local-stack.ts';
import { startTimeOf } from '../../infra/stack/process-identity.ts';
import { removeHome } from '../support/home.ts';
import { type Stack, startStack } from '../support/stack.ts';

const SERVICES = ['anvil', 'api', 'postgres', 'projector', 'temporal', 'worker'];
const NODES = ['aws', 'azure', 'datacenter', 'edge', 'gcp', 'hybrid'].map((name) => `node-${name}`);

let home: string;
let stack: Stack;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-start-'));
  stack = await startStack(home, { sample: true });
});
afterAll(async () => {
  await stack?.stop();
  await removeHome(home);
});

const commandOf = (name: string) => readFile(`/proc/${stack.pids()[name]}/cmdline`, 'latin1');
const isAlive = (pid: number) => startTimeOf(pid) !== null;
const get = (path: string) =>
  fetch(`${stack.apiUrl}${path}`, { headers: { 'X-API-Key': stack.apiKey } }).then((response) =>
    response.json(),
  );
const jobs = async () =>
  ((await get('/v1/fog/scheduler/queue')) as { own: { items: { state: string }[] } }).own.items;

test('the first start runs every process, settles the sample job and prints the addresses', async () => {
  expect(Object.keys(stack.pids()).sort()).toEqual([...SERVICES, ...NODES].sort());
  expect((await jobs()).map(({ state }) => state)).toEqual(['settled']);
  expect(stack.output()).toContain(`API          ${stack.apiUrl}`);
  expect(stack.output()).toMatch(/Temporal UI\s+off/);
  expect((await fetch(`${stack.apiUrl}/docs`)).status).toBe(200);
  const [, program] = /\0(\/[^\0]*node\.mjs)\0/.exec(await commandOf('node-aws')) ?? [];
  expect(program).toMatch(/\/dist\/programs\/[0-9a-f]{16}\/infra\/main\/node\.mjs$/);
  expect((await stat(join(home, 'credentials.json'))).mode & 0o777).toBe(0o600);
});

test.each([...SERVICES, 'node-edge'])('%s comes back after kill -9', async (name) => {
  const before = stack.pids()[name] as number;
  const back = stack.waitFor(new RegExp(`^${name} is up again`, 'm'), { fromNow: true });
  stack.kill(name);
  await back;
  expect(stack.pids()[name]).not.toBe(before);
  expect(isAlive(before)).toBe(false);
  await vi.waitFor(async () => expect(await jobs()).toHaveLength(1), { timeout: 60_000, interval: 500 });
});

test('a second instance on another data directory and port runs beside the first', async () => {
  const other = await mkdtemp(join(tmpdir(), 'aivillage-other-'));
  try {
    const second = await startStack(other, { args: ['--temporal-ui'] });
    const ui = /Temporal UI\s+(\S+)/.exec(second.output())?.[1] as string;
    expect((await fetch(ui)).status).toBe(200);
    const ports = await Promise.all(
      [home, other].map(async (each) =>
        Object.values(JSON.parse(await readFile(join(each, 'ports.json'), 'utf8')) as LocalPorts).filter(
          (port) => typeof port === 'number',
        ),
      ),
    );
    expect(new Set(ports.flat()).size).toBe(ports.flat().length);
    const firstPids = Object.values(stack.pids());
    const secondPids = Object.values(second.pids());
    expect(await second.stop()).toBe(0);
    expect(secondPids.filter(isAlive)).toEqual([]);
    expect(firstPids.filter(isAlive)).toEqual(firstPids);
  } finally {
    await removeHome(other);
  }
});

test('after kill -9 of the supervisor the next start takes over, fast, and runs no job', async () => {
  const orphans = Object.values(stack.pids());
  stack.kill('supervisor');
  const port = Number(new URL(stack.apiUrl).port);
  const started = performance.now();
  stack = await startStack(home, { sample: true, port });
  const seconds = (performance.now() - started) / 1000;
  expect(orphans.filter(isAlive)).toEqual([]);
  expect(await jobs()).toHaveLength(1);
  // The target is 15 s on an idle machine; this bound only catches a start that waits for something.
  expect(seconds).toBeLessThan(60);
});

test('Ctrl-C ends every process that the start had made', async () => {
  const pids = Object.values(stack.pids());
  expect(await stack.stop()).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});
