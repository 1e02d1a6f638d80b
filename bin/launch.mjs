// Plain JavaScript without dependencies: it runs on the host's Node, before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureVerifyLibrary, NO_COMPILER } from './verify-library.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The first version that runs TypeScript files as they are. */
const MINIMUM = [22, 18];

/**
 * Installs the packages of the lockfile when they are missing, incomplete or of another version, and builds
 * `aivillage/verify` when it is missing or older than its sources.
 * @param {{ development: boolean }} needs whether the tools for tests are needed, too
 */
export const ensureInstalled = async ({ development }) => {
  // npm never packs a lockfile.
  if (!existsSync(join(ROOT, 'package-lock.json')))
    return fail('This package holds the library aivillage/verify alone; the command runs in a checkout.');
  if (!isInstalled(development)) await install(development);
  // Nothing that is about to run needs it: whoever imports the package does, and has the compiler.
  const fault = ensureVerifyLibrary(ROOT);
  if (fault !== null && fault !== NO_COMPILER)
    process.stderr.write(`aivillage/verify was not built: ${fault}\n`);
};

const install = async (development) => {
  process.stderr.write('Installing packages (npm ci); the first time takes about a minute\n');
  const { npm_execpath: npm } = process.env;
  const args = ['ci', '--ignore-scripts', '--loglevel=error', ...(development ? ['--include=dev'] : [])];
  const code =
    npm !== undefined && /npm-cli\.c?js$/.test(npm)
      ? await run(process.execPath, [npm, ...args])
      : await run('npm', args);
  if (code !== 0) fail(`npm ci failed with code ${code}`);
};

/** Compares the lockfile with npm's own record of what it has put into node_modules. */
const isInstalled = (development) => {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = packagesOf(join(ROOT, 'package-lock.json'));
  const present = packagesOf(record);
  return Object.entries(wanted).every(([path, { version, optional, devOptional, dev }]) => {
    if (path === '') return true;
    // Absent packages for other platforms are no fault.
    if (present[path] === undefined) return optional || ((dev || devOptional) && !development);
    return present[path].version === version;
  });
};

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** A Node that runs TypeScript: this one, else the platform package's. */
export const capableNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return process.execPath;
  const bundled = join(ROOT, 'node_modules', '.bin', 'node');
  if (existsSync(bundled)) return bundled;
  return fail(
    `Node ${process.versions.node} is too old (${MINIMUM.join('.')} is needed), and the bundled Node 24 is not installed. ` +
      'Run npm ci without --omit=optional, or install Node 24.',
  );
};

/** There Node keeps what it made of TypeScript, text by text, where it may write. */
const COMPILED = join(ROOT, 'dist', 'compiled');

/** Runs a TypeScript program of the checkout, with flags of Node, and ends with its exit code. */
export const launch = async (program, args, flags = []) => {
  const env = { NODE_COMPILE_CACHE: COMPILED, ...process.env };
  process.exitCode = await run(capableNode(), [...flags, join(ROOT, program), ...args], { env });
};

/** Runs a command on this terminal and resolves with its exit code. Signals are the command's to obey. */
export const run = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward);
      resolve(signal === null ? code : 1);
    });
  });

const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};
