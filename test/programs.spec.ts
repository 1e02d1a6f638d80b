import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EnclaveMessage, HostMessage } from '../infra/sandbox/protocol.ts';
import { detectIsolation } from '../infra/sandbox/spawn.ts';
import { assembleTestModule } from './workloads/assemble.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PROGRAMS = [
  'infra/main/api',
  'infra/main/worker',
  'infra/main/node',
  'infra/main/projector',
  'infra/sandbox/enclave-process',
  'infra/sandbox/runner',
  'infra/sandbox/module-thread',
];

type Built = { readonly folder: string | null; readonly fault: string | null };
const ensure = async (checkout: string): Promise<Built> =>
  (
    (await import(pathToFileURL(join(checkout, 'bin', 'programs.mjs')).href)) as {
      ensurePrograms: (root: string) => Promise<Built>;
    }
  ).ensurePrograms(checkout);

describe('the one-file programs of a checkout', () => {
  let checkout: string;
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    writeFileSync(join(checkout, file), text);
  };
  const built = async () => {
    const { folder, fault } = await ensure(checkout);
    expect(fault).toBeNull();
    return folder as string;
  };
  const text = (folder: string, program = 'infra/main/node') =>
    readFileSync(join(folder, `${program}.${program.includes('sandbox') ? 'cjs' : 'mjs'}`), 'utf8');

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'aivillage-programs-'));
    cpSync(join(ROOT, 'bin'), join(checkout, 'bin'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    for (const program of PROGRAMS)
      write(`${program}.ts`, `import { word } from '../../domain/word.ts';\nconsole.log(word as string);\n`);
    write('domain/word.ts', `export const word: string = 'first';\n`);
    write('infra/workloads/calibration.wasm', 'calibration');
    for (const folder of ['activities', 'api', 'projections']) write(`${folder}/none.ts`, '');
    write('package-lock.json', '{}');
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  test('are made once for what they are made from, and are never those of other sources', async () => {
    const first = await built();
    expect(text(first)).toContain('first');
    expect(readFileSync(join(first, 'infra/workloads/calibration.wasm'), 'utf8')).toBe('calibration');
    writeFileSync(join(first, 'infra/main/node.mjs'), 'kept');
    expect(await built()).toBe(first);
    expect(text(first)).toBe('kept');

    write('domain/word.ts', `export const word: string = 'second';\n`);
    const second = await built();
    for (const program of PROGRAMS) expect(text(second, program)).toContain('second');
    // What was a module stays as strict as one.
    expect(text(second, 'infra/sandbox/runner')).toMatch(/^["']use strict["'];/);
    // A stack that runs from the first goes on.
    expect(text(first)).toBe('kept');

    write('package-lock.json', '{ "packages": {} }');
    const third = await built();
    expect(new Set([first, second, third]).size).toBe(3);
    // What no program can hold makes no difference.
    write('domain/word.spec.ts', 'a test');
    expect(await built()).toBe(third);
  });

  test('of the engine take each module to be where its source is', async () => {
    write(
      'infra/keys/place.ts',
      `export const place = { url: import.meta.url, file: import.meta.filename, folder: import.meta.dirname };\n`,
    );
    write(
      'infra/main/worker.ts',
      `import { place } from '../keys/place.ts';\nconsole.log(JSON.stringify(place));\n`,
    );
    const program = join(await built(), 'infra', 'main', 'worker.mjs');
    const { stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    const file = realpathSync(join(checkout, 'infra', 'keys', 'place.ts'));
    expect(JSON.parse(stdout)).toEqual({ url: pathToFileURL(file).href, file, folder: dirname(file) });
  });

  test('of a month ago are removed when new ones are made', async () => {
    const old = await built();
    utimesSync(old, 1_000_000_000, 1_000_000_000);
    write('domain/word.ts', `export const word = 'second';\n`);
    const next = await built();
    expect(next).not.toBe(old);
    expect(readdirSync(join(checkout, 'dist', 'programs'))).toEqual([basename(next)]);
  });

  test('that cannot be made say why and leave nothing behind, and those that need a package beside them are none', async () => {
    write('domain/word.ts', 'export const word = ;');
    expect(await ensure(checkout)).toEqual({ folder: null, fault: expect.stringContaining('word.ts') });
    write('domain/word.ts', `export { missing as word } from 'no-such-package';\n`);
    expect(await ensure(checkout)).toEqual({
      folder: null,
      fault: expect.stringContaining('no-such-package'),
    });
    expect(readdirSync(join(checkout, 'dist', 'programs'))).toEqual([]);
  });

  test.runIf(spawnSync('unshare', ['-m', 'true']).status === 0)(
    'are found where nothing can be written',
    async () => {
      const folder = await built();
      const script = `import('./bin/programs.mjs').then(async ({ ensurePrograms }) =>
        console.log(JSON.stringify(await ensurePrograms(process.cwd()))))`;
      const mount = 'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD" && exec "$@"';
      const { stdout, stderr } = spawnSync(
        'unshare',
        ['-m', 'sh', '-c', mount, 'sh', process.execPath, '-e', script],
        { cwd: checkout, encoding: 'utf8' },
      );
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ folder, fault: null });
    },
  );

  test('are not asked for where there are none', async () => {
    rmSync(join(checkout, 'infra'), { recursive: true });
    expect(await ensure(checkout)).toEqual({ folder: null, fault: null });
  });
});

/** What an enclave process signs of a run, but for its key and times. */
const recordOf = async (program: string, args: readonly string[]) => {
  const code = await assembleTestModule('random-and-clock');
  const enclave = spawn(process.execPath, [...args, program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: {},
  });
  const ask = async (message: HostMessage): Promise<EnclaveMessage> => {
    enclave.send(message);
    const [answer] = (await once(enclave, 'message')) as [EnclaveMessage];
    return answer;
  };
  const input = new Uint8Array(0);
  const config = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
  try {
    await ask({ type: 'load', enclaveId: 'enclave-1', code, config, wrapper: detectIsolation().wrapper });
    const work = {
      args: ['one'],
      inputHash: createHash('sha256').update(input).digest('hex'),
      randomSeed: '5e'.repeat(32),
      clockStart: '2026-01-01T00:00:00.000Z',
      timeLimitSeconds: 30,
      fuelLimit: 10_000_000_000,
    };
    const order = { jobId: 'job-1', providerId: 'provider-1', work };
    const answer = await ask({ type: 'run', order, input, reportHash: 'ab'.repeat(32) });
    if (answer.type !== 'finished') throw new Error(JSON.stringify(answer));
    const { startedAt: _, finishedAt: __, resources, ...facts } = answer.record;
    return { ...facts, peakMemoryBytes: resources.peakMemoryBytes, output: answer.output };
  } finally {
    enclave.kill('SIGKILL');
  }
};

test('an enclave of one file signs the same of a run as one from the sources', {
  timeout: 120_000,
}, async () => {
  const { folder } = await ensure(ROOT);
  if (folder === null) throw new Error('not built');
  const source = join(ROOT, 'infra', 'sandbox', 'enclave-process.ts');
  const facts = await recordOf(source, []);
  // What it reads is its folder, and nothing of the checkout: the runner that it starts is the bundled one.
  const confined = [
    '--no-warnings',
    '--permission',
    '--allow-child-process',
    `--allow-fs-read=${folder}/infra/sandbox/`,
  ];
  const bundled = await recordOf(join(folder, 'infra', 'sandbox', 'enclave-process.cjs'), [
    ...confined,
    '--allow-fs-read=/proc/',
  ]);
  expect(facts).toMatchObject({ outcome: 'exited', exitCode: 0 });
  expect(bundled).toEqual(facts);
});
