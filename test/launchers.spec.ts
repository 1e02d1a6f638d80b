import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'aivillage-launch-'));
  cpSync(join(ROOT, 'bin'), join(checkout, 'bin'), { recursive: true });
  mkdirSync(join(checkout, 'infra', 'main'), { recursive: true });
  writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(checkout, 'infra', 'main', 'all.ts'),
    'console.log("started", process.argv[2]); process.exitCode = 7 as number;',
  );
  // Stands for npm: notes its arguments and installs what the lockfile names.
  writeFileSync(
    join(checkout, 'npm'),
    `#!/bin/sh
echo "$@" >> npm.log
mkdir -p node_modules
cp package-lock.json node_modules/.package-lock.json
`,
    { mode: 0o755 },
  );
  lock('package-lock.json', { a: '1.0.0', tool: '1.0.0' });
});
afterEach(() => rmSync(checkout, { recursive: true }));

const lock = (file: string, versions: Record<string, string>) => {
  const entries = Object.entries(versions).map(([name, version]) => [
    `node_modules/${name}`,
    {
      version,
      ...(name === 'tool' ? { dev: true } : {}),
      ...(name === 'other-platform' ? { optional: true } : {}),
    },
  ]);
  mkdirSync(join(checkout, 'node_modules'), { recursive: true });
  writeFileSync(
    join(checkout, file),
    JSON.stringify({ packages: { '': {}, ...Object.fromEntries(entries) } }),
  );
};
const INSTALLED = join('node_modules', '.package-lock.json');

const run = (program: string, args: string[], cwd = checkout) => {
  const { npm_execpath: _, ...env } = process.env;
  const options = { cwd, env: { ...env, PATH: [checkout, process.env['PATH']].join(delimiter) } };
  return new Promise<{ code: number; output: string }>((done) =>
    execFile(process.execPath, [program, ...args], options, (error, output) =>
      done({ code: error === null ? 0 : Number(error.code), output }),
    ),
  );
};
const installs = () => {
  try {
    return readFileSync(join(checkout, 'npm.log'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
};

test('the first start installs, passes its arguments on and ends with the code of the program', async () => {
  expect(await run('bin/start.mjs', ['--flag'])).toEqual({ code: 7, output: 'started --flag\n' });
  expect(installs()).toEqual(['ci --ignore-scripts --loglevel=error']);
  await run('bin/start.mjs', []);
  expect(installs()).toHaveLength(1);
});

test('a start installs again when a package is missing or has another version, not for what it does not need', async () => {
  lock('package-lock.json', { a: '1.0.0', tool: '1.0.0', 'other-platform': '1.0.0' });
  lock(INSTALLED, { a: '1.0.0' });
  await run('bin/start.mjs', []);
  expect(installs()).toEqual([]);
  lock(INSTALLED, { a: '0.9.0' });
  await run('bin/start.mjs', []);
  expect(installs()).toHaveLength(1);
  lock(INSTALLED, { tool: '1.0.0' });
  await run('bin/start.mjs', []);
  expect(installs()).toHaveLength(2);
});

test('a test run closes with its counts, and a file that finds no test fails it', async () => {
  const passing = await run('bin/test.mjs', ['--project', 'unit', 'infra/stack/ports.spec.ts'], ROOT);
  expect(passing.output.trimEnd().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed$/);
  expect(passing.code).toBe(0);
  const failing = await run('bin/test.mjs', ['--project', 'unit', 'no/such.spec.ts'], ROOT);
  expect(failing.output.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  expect(failing.code).toBe(1);
});
