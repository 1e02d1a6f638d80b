import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bytesToHex } from '@noble/hashes/utils.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { merkleTree } from '../domain/merkle.ts';
import { exportText, logOf, signer } from '../infra/verify/export/export.fixture.ts';
import { SAMPLE, SAMPLE_NOW } from './support/zk/sample.ts';
import { simulatedMachine } from './workloads/simulated-machine.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const run = promisify(execFile);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aivillage-package-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The host's own Node, whatever runs the tests; null when there is none. */
const hostNode = (): string | null =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .map((directory) => join(directory, 'node'))
    .find((path) => existsSync(path)) ?? null;

describe('R98: the packed library, installed below node_modules', () => {
  const CONSUMER = `
import { readFileSync } from 'node:fs';
import * as library from 'aivillage/verify';

const { verifyCheckpoint, verifyInclusion } = library;
const given = JSON.parse(readFileSync(new URL('./given.json', import.meta.url), 'utf8'));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const [vcek, ...chain] = given.certificates.map(bytes);
const attested = await library.verifyAttestation({
  format: 'sev-snp', evidence: bytes(given.report), collateral: { vcek, chain }, now: given.now,
  policy: { roots: given.roots, allowSimulated: true },
});
const exported = await library.verifyExport({ source: Buffer.from(given.export), publicKey: given.publicKey });
const { valid, size, root } = verifyCheckpoint(given);
const proof = { leafHash: bytes(given.leafHash), index: given.index, size, root, path: given.path.map(bytes) };
const stranger = verifyCheckpoint({ ...given, checkpoint: given.checkpoint.replace('\\n40\\n', '\\n41\\n') });
console.log(JSON.stringify({
  verdicts: [valid, verifyInclusion(proof), verifyInclusion({ ...proof, index: given.index + 1 }), stranger.code],
  others: [attested.acceptable, exported.valid, library.verifyPredicate(given.predicate).valid],
  functions: Object.keys(library).filter((name) => typeof library[name] === 'function'),
}));
`;
  const TYPED = `
import { type CheckpointVerdict, verifyAttestation, verifyCheckpoint, verifyInclusion } from 'aivillage/verify';

const bytes = new Uint8Array(32);
const verdict: CheckpointVerdict = verifyCheckpoint({ checkpoint: '', publicKey: bytes });
export const size: bigint | null = verdict.valid ? verdict.size : null;
export const platform = async (): Promise<'hardware' | 'simulated'> =>
  (await verifyAttestation({ format: 'psa', evidence: bytes, collateral: { key: bytes }, now: 0 })).platform;
// @ts-expect-error: an index is a number
verifyInclusion({ leafHash: bytes, index: { no: 'index' }, size: 1, root: bytes, path: [] });
`;
  let consumer: string;

  beforeAll(async () => {
    const npm = ['pack', '--silent', '--offline', '--no-update-notifier', '--pack-destination', folder];
    const { stdout } = await run('npm', npm, { cwd: ROOT });
    consumer = join(folder, 'consumer');
    const installed = join(consumer, 'node_modules', 'aivillage');
    mkdirSync(installed, { recursive: true });
    const tarball = join(folder, stdout.trim().split('\n').at(-1) as string);
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
    symlinkSync(join(ROOT, 'node_modules', '@noble'), join(consumer, 'node_modules', '@noble'));
    writeFileSync(join(consumer, 'package.json'), '{"type":"module"}');
    writeFileSync(join(consumer, 'check.mjs'), CONSUMER);
    writeFileSync(join(consumer, 'check.ts'), TYPED);

    const log = logOf(40);
    const tree = merkleTree(log.leaves);
    const machine = simulatedMachine('2026-01-01T00:00:00.000Z');
    const request = { measurement: '11'.repeat(48), reportData: new Uint8Array(64) };
    const { report, certificates } = await machine.platform.quote(request);
    const given = {
      checkpoint: log.checkpoint(),
      publicKey: signer.publicKey,
      leafHash: bytesToHex(log.leaves[17] as Uint8Array),
      index: 17,
      path: tree.path(17).map((hash) => bytesToHex(hash)),
      export: exportText(log),
      predicate: { ...SAMPLE, now: SAMPLE_NOW },
      report: bytesToHex(report),
      certificates: certificates.map((der) => bytesToHex(der)),
      roots: machine.roots,
      now: '2026-03-01T12:00:00Z',
    };
    writeFileSync(join(consumer, 'given.json'), JSON.stringify(given));
  }, 120_000);

  const ANSWER = {
    verdicts: [true, true, false, 'BAD_SIGNATURE'],
    others: [true, true, true],
    functions: expect.arrayContaining([
      'ecvrfVerify',
      'verifyAnchor',
      'verifyAttestation',
      'verifyAvailabilityProof',
      'verifyCheckpoint',
      'verifyConsistency',
      'verifyExecutionProof',
      'verifyExport',
      'verifyInclusion',
      'verifyNeighbours',
      'verifyPredicate',
      'verifySlaProof',
    ]),
  };

  test('verifies under the Node that runs the engine', async () => {
    const { stdout } = await run(process.execPath, ['check.mjs'], { cwd: consumer });
    expect(JSON.parse(stdout)).toEqual(ANSWER);
  });

  test('verifies under the Node of the host, from the oldest that is promised on', async (context) => {
    const node = hostNode();
    if (node === null) return context.skip('the host has no Node of its own');
    const { stdout: version } = await run(node, ['--version']);
    const { engines } = JSON.parse(
      readFileSync(join(consumer, 'node_modules', 'aivillage', 'package.json'), 'utf8'),
    );
    const [major, minor] = version.slice(1).split('.').map(Number) as [number, number];
    const [least, leastMinor] = engines.node.slice('>='.length).split('.').map(Number);
    if (major < least || (major === least && minor < leastMinor))
      return context.skip(`the host has Node ${version}`);
    const { stdout } = await run(node, ['check.mjs'], { cwd: consumer });
    expect(JSON.parse(stdout)).toEqual(ANSWER);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types for module %s, resolution %s', async (module, moduleResolution) => {
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom', '--types', ''];
    const resolution = ['--module', module, '--moduleResolution', moduleResolution];
    const compiled = await run(process.execPath, [TSC, ...options, ...resolution, 'check.ts'], {
      cwd: consumer,
    }).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    expect(compiled.stdout).toBe('');
  });

  test('says what it is not, instead of starting an engine', async () => {
    const program = join(consumer, 'node_modules', 'aivillage', 'bin', 'aivillage.mjs');
    await expect(run(process.execPath, [program, 'job', 'list'])).rejects.toMatchObject({
      code: 1,
      stderr: 'This package holds the library aivillage/verify alone; the command runs in a checkout.\n',
    });
  });
});

describe('the build of the library in a checkout', () => {
  let checkout: string;
  const source = () => join(checkout, 'infra', 'verify', 'index.ts');
  const built = () => readFileSync(join(checkout, 'dist', 'verify', 'infra', 'verify', 'index.js'), 'utf8');
  const write = (value: number, seconds: number) => {
    writeFileSync(source(), `export const answer: number = ${value};\n`);
    utimesSync(source(), seconds, seconds);
  };

  beforeAll(() => {
    checkout = join(folder, 'checkout');
    for (const name of ['domain', join('infra', 'verify'), join('node_modules')])
      mkdirSync(join(checkout, name), { recursive: true });
    for (const name of ['tsconfig.json', 'tsconfig.verify.json'])
      writeFileSync(join(checkout, name), readFileSync(join(ROOT, name)));
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}');
    cpSync(join(ROOT, 'bin'), join(checkout, 'bin'), { recursive: true });
  });

  const prepare = (...args: string[]) =>
    run(process.execPath, [join('bin', 'prepare.mjs'), ...args], { cwd: checkout }).then(
      () => null,
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
    );

  test('is made when it is missing or its sources are others, and tells when it cannot be', async () => {
    write(1, 4_000_000_000);
    expect(await prepare()).toBeNull();
    expect(await prepare('--required')).toEqual({
      code: 1,
      stderr: 'aivillage/verify was not built: TypeScript is not installed\n',
    });
    for (const name of ['typescript', '@typescript'])
      symlinkSync(join(ROOT, 'node_modules', name), join(checkout, 'node_modules', name));
    expect(await prepare('--required')).toBeNull();
    expect(built()).toContain('answer = 1');

    writeFileSync(join(checkout, 'dist', 'verify', 'infra', 'verify', 'index.js'), 'kept');
    expect(await prepare('--required')).toBeNull();
    expect(built()).toBe('kept');

    // An older file is another one, too: a restored copy keeps its time.
    write(2, 3_000_000_000);
    expect(await prepare('--required')).toBeNull();
    expect(built()).toContain('answer = 2');

    writeFileSync(source(), 'export const answer = ;');
    expect(await prepare('--required')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('index.ts'),
    });
    expect(built()).toContain('answer = 2');
  });
});
