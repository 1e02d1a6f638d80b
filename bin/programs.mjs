// Builds the programs of which many run at once, or that start for every job, each as one file of JavaScript: from their
// sources Node takes several times as long to start them, and a compiler's memory.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAMS = [join('infra', 'main', 'node'), join('infra', 'main', 'projector')];

/** The engine's own: they still need their checkout, where Temporal's packages, their threads and their templates are. */
const ENGINE = [join('infra', 'main', 'api'), join('infra', 'main', 'worker')];

/**
 * The sandbox's start for every job, so they are CommonJS: an import of one of Node's own modules has all of its members made,
 * and with them the modules behind those that are made when they are first used.
 */
const SANDBOX = ['enclave-process', 'runner', 'module-thread'].map((name) => join('infra', 'sandbox', name));

/** Files that they read, at the same place beside them. */
const DATA = [join('infra', 'workloads', 'calibration.wasm')];

/** What they are made from, packages and this file included. */
const SOURCES = ['domain', 'activities', 'projections', 'api', 'infra', 'package-lock.json'];

/** A stack goes on with the programs that it was started with, however often its checkout is changed meanwhile. */
const KEPT_MS = 30 * 24 * 3_600_000;

/**
 * Builds the programs of the checkout `root` as its sources are now, unless that was done: the name of their folder is the
 * hash of all they are made from, so nothing old is ever found.
 * @param {string} root
 * @returns {Promise<{ folder: string | null, fault: string | null }>} where they are, laid out like the sources; or why they
 * could not be built; neither where there is nothing to build
 */
export const ensurePrograms = async (root) => {
  if (![...PROGRAMS, ...ENGINE, ...SANDBOX].every((program) => existsSync(join(root, `${program}.ts`))))
    return { folder: null, fault: null };
  const all = join(root, 'dist', 'programs');
  const folder = join(all, hashOf(root).slice(0, 16));
  try {
    if (!existsSync(folder)) {
      await build(root, folder);
      removeOld(all);
    }
    markUsed(folder);
    return { folder, fault: null };
  } catch (error) {
    return { folder: null, fault: error.message };
  }
};

/** Keeps them from being old. Where nothing can be written, nothing is removed either. */
const markUsed = (folder) => {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch (error) {
    if (!['EROFS', 'EPERM', 'EACCES'].includes(error.code)) throw error;
  }
};

const isSource = (name) => /\.(ts|wasm)$/.test(name) && !name.endsWith('.spec.ts');

const hashOf = (root) => {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(root, source);
    const within = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true }).filter(isSource).sort()
      : [''];
    for (const name of within)
      hash
        .update(`${source}/${name}\0`)
        .update(readFileSync(join(path, name)))
        .update('\0');
  }
  return hash.update(readFileSync(fileURLToPath(import.meta.url))).digest('hex');
};

/** Builds beside the folder, which is there when all is. */
const build = async (root, folder) => {
  const partial = `${folder}.${process.pid}`;
  try {
    for (const program of PROGRAMS) await bundle(root, partial, program, 'esm');
    for (const program of ENGINE) await bundleInPlace(root, partial, program);
    for (const program of SANDBOX) await bundle(root, partial, program, 'cjs');
    for (const file of DATA) cpSync(join(root, file), join(partial, file));
    renameSync(partial, folder);
  } catch (error) {
    // Two starts at once made the same: the first one's stands.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
};

/** One file, which needs nothing but Node. */
const bundle = async (root, folder, program, format) => {
  const file = join(folder, `${program}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  const output = await write({ input: join(root, `${program}.ts`) }, { file, format, strict: true });
  const outside = output.flatMap(({ imports = [] }) => imports).filter((name) => !isBuiltin(name));
  if (outside.length > 0) throw new Error(`${program} would still need ${outside.join(', ')}`);
};

/** One file, which needs its checkout: Temporal's packages start threads and native code of their own from there. */
const bundleInPlace = async (root, folder, program) => {
  const file = join(folder, `${program}.mjs`);
  const input = join(root, `${program}.ts`);
  await write(
    { input, external: /^@temporalio\//, plugins: [inPlace(dirname(file))] },
    { file, format: 'esm' },
  );
};

const write = async (input, output) => {
  const { rolldown } = await import('rolldown');
  const made = await rolldown({ ...input, platform: 'node', logLevel: 'silent' });
  try {
    return (await made.write({ ...output, codeSplitting: false })).output;
  } finally {
    await made.close();
  }
};

/** A module of a program in `folder` that asks for its own place is told that of its source. */
const inPlace = (folder) => ({
  name: 'in-place',
  transform(code, id) {
    const url = `new URL(${JSON.stringify(relative(folder, id))}, import.meta.url)`;
    const filename = `process.getBuiltinModule('node:url').fileURLToPath(${url})`;
    const dirname = `process.getBuiltinModule('node:path').dirname(${filename})`;
    const place = { url: `${url}.href`, filename, dirname };
    return code.replaceAll(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, of) => place[of]);
  },
});

const removeOld = (all) => {
  for (const name of readdirSync(all)) {
    const path = join(all, name);
    if (Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
};
