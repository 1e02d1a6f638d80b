import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const ROOT = resolve(import.meta.dirname, '..', '..');
const WORKFLOWS = join(ROOT, 'workflows', 'index.ts');
/** Evaluated once for all workflows instead of once for each: no module of theirs holds state of its own. */
const SHARED = [WORKFLOWS];

/** What the bundle is made of: workflow and domain code, what they import, and how it is put together. */
const SOURCES = ['domain/**/*.ts', 'workflows/**/*.ts', 'package-lock.json', 'infra/temporal/bundle.ts'];

const sourceHash = async (): Promise<string> => {
  const files = await Array.fromAsync(glob(SOURCES, { cwd: ROOT }));
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash
      .update(file)
      .update('\0')
      .update(await readFile(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
};

/**
 * Path of the workflow bundle for the code as it is, built once per content (1-4 s) and kept in `cacheDirectory`.
 */
export const workflowBundle = async (cacheDirectory: string): Promise<string> => {
  const path = join(cacheDirectory, `workflows-${(await sourceHash()).slice(0, 16)}.js`);
  if (existsSync(path)) return path;
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS,
    preloadModules: SHARED,
    logger: quiet,
  });
  await mkdir(cacheDirectory, { recursive: true });
  // Renamed into place, so that a process killed here leaves no half of a bundle.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, code);
  await rename(draft, path);
  return path;
};

const ignore = () => undefined;
/** The bundler's progress is no news; its failures reject. */
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
