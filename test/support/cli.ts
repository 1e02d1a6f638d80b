import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `npx aivillage ARGS` against the stack whose data directory is `home`. */
export const runCli = (home: string, args: readonly string[]): Promise<CliRun> =>
  new Promise((resolveRun) => {
    execFile(
      process.execPath,
      [join(ROOT, 'bin', 'aivillage.mjs'), ...args],
      { cwd: ROOT, env: { ...process.env, AIVILLAGE_HOME: home }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => resolveRun({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
