import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..', '..');
const WORKFLOWS = join(ROOT, 'workflows', 'index.ts');
const BUILD = join(import.meta.dirname, 'build-bundle.ts');

/** What the bundle is made of: workflow and domain code, what they import, and how it is put together. */
const SOURCES = [
  'domain/**/*.ts',
  'workflows/**/*.ts',
  'package-lock.json',
  'infra/temporal/build-bundle.ts',
];

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
  await mkdir(cacheDirectory, { recursive: true });
  // Renamed into place, so that a process killed here leaves no half of a bundle.
  const draft = `${path}.${process.pid}`;
  await promisify(execFile)(process.execPath, [BUILD, WORKFLOWS, draft]);
  await rename(draft, path);
  return path;
};
