import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';

const run = promisify(execFile);

/** The newest release of the Temporal CLI that `go install` accepts. */
const CLI_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const PROGRESS_MS = 10_000;

export interface BinaryOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Receives one line for each thing that is done. */
  readonly report: (line: string) => void;
  /** Ends a build that is under way. */
  readonly signal?: AbortSignal;
}

/**
 * Finds the Temporal CLI: on PATH, in the project's cache, by the SDK's download, by building it with Go.
 * @throws one line that says what to install when none of them works.
 */
export const temporalBinary = async ({ env, report, signal }: BinaryOptions): Promise<string> => {
  const bin = join(cacheDirectory(env), 'bin');
  const onPath = await firstExecutable((env['PATH'] ?? '').split(delimiter).filter(Boolean));
  if (onPath !== null) return tell(report, onPath, 'from PATH');
  const cached = await firstExecutable([bin]);
  if (cached !== null) return tell(report, cached, 'from the cache');
  await mkdir(bin, { recursive: true });
  const target = join(bin, 'temporal');
  if (await download(target, report)) return target;
  await build(target, env, report, signal);
  return target;
};

const tell = (report: (line: string) => void, path: string, source: string): string => {
  report(`Temporal CLI ${source}: ${path}`);
  return path;
};

const firstExecutable = async (folders: readonly string[]): Promise<string | null> => {
  for (const folder of folders) {
    const path = join(folder, 'temporal');
    const isFile = await stat(path).then(
      (entry) => entry.isFile(),
      () => false,
    );
    if (isFile && (await isExecutable(path))) return path;
  }
  return null;
};

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Lets the SDK download its pinned CLI and keeps the file. False where the download site is out of reach. */
const download = async (target: string, report: (line: string) => void): Promise<boolean> => {
  const folder = await mkdtemp(`${target}-download-`);
  try {
    report('Temporal CLI: downloading it with the Temporal SDK');
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: folder }, ui: false },
    });
    await environment.teardown();
    const [file] = await readdir(folder);
    if (file === undefined) return false;
    await rename(join(folder, file), target);
    return true;
  } catch (error) {
    report(`Temporal CLI: no download (${firstLine(error)})`);
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Builds the CLI with Go into a folder aside, so that a build cut short leaves no half program. */
const build = async (
  target: string,
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> => {
  const go = await run('go', ['version'], { env }).catch(() => null);
  if (go === null) {
    throw new Error(
      'The Temporal CLI is not on PATH, cannot be downloaded, and Go, which would build it, is not installed. ' +
        'Install the Temporal CLI or Go 1.26, or set TEMPORAL_ADDRESS to a running server.',
    );
  }
  const folder = await mkdtemp(`${target}-build-`);
  const started = performance.now();
  const progress = () =>
    report(`Temporal CLI: building it with Go, once, 3 to 5 minutes (${elapsed(started)} s)`);
  progress();
  const timer = setInterval(progress, PROGRESS_MS);
  try {
    await goInstall({ ...env, GOTOOLCHAIN: 'local', GOBIN: folder }, signal);
    await rename(join(folder, 'temporal'), target);
    report(`Temporal CLI: built in ${elapsed(started)} s`);
  } finally {
    clearInterval(timer);
    await rm(folder, { recursive: true, force: true });
  }
};

const goInstall = (env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('go', ['install', CLI_MODULE], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-2_000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go install ${CLI_MODULE} failed with code ${code}\n${output.trim()}`));
    });
  });

const elapsed = (started: number): string => ((performance.now() - started) / 1000).toFixed(0);
const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
