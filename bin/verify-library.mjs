// Builds the package export aivillage/verify: JavaScript and declarations, for Nodes and bundlers without TypeScript.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What the build is made from. */
const SOURCES = [join('infra', 'verify'), 'domain', 'tsconfig.json', 'tsconfig.verify.json'];

/** What `ensureVerifyLibrary` answers in an installation without development packages. */
export const NO_COMPILER = 'TypeScript is not installed';

/**
 * Builds the library of the checkout `root` when it is missing or older than its sources. Types are not checked here:
 * `npm run types` does.
 * @param {string} root
 * @returns {string | null} why it could not be built
 */
export const ensureVerifyLibrary = (root) => {
  if (!existsSync(join(root, 'tsconfig.verify.json'))) return null;
  const folder = join(root, 'dist', 'verify');
  const stamp = join(root, 'dist', 'verify.stamp');
  const newest = String(Math.max(...SOURCES.map((source) => lastChange(join(root, source)))));
  if (existsSync(folder) && existsSync(stamp) && readFileSync(stamp, 'utf8') === newest) return null;

  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) return NO_COMPILER;
  try {
    build(root, folder, compiler);
    writeFileSync(stamp, newest);
    return null;
  } catch (error) {
    return error.message;
  }
};

/** Compiles beside the old library, which is replaced when all is there. */
const build = (root, folder, compiler) => {
  const partial = join(root, 'dist', `.verify-${process.pid}`);
  mkdirSync(partial, { recursive: true });
  try {
    const args = [compiler, '-p', join(root, 'tsconfig.verify.json'), '--noCheck', '--outDir', partial];
    const { status, stdout, error } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(stdout.trim());
    replace(folder, partial);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
};

const replace = (folder, finished) => {
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(finished, folder);
  } catch (error) {
    // Two starts at once made the same: the first one's stands.
    if (!existsSync(folder)) throw error;
  }
};

/** When a file, or anything in a folder, was last changed, in ms. A file that went has changed its folder. */
const lastChange = (path) => {
  const stats = statSync(path);
  const within = stats.isDirectory() ? readdirSync(path, { recursive: true }) : [];
  return Math.max(stats.mtimeMs, ...within.map((name) => statSync(join(path, name)).mtimeMs));
};
