import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createPool } from '../postgres/pool.ts';

const CHECKOUT = resolve(import.meta.dirname, '..', '..');
const MODULE = 'infra/workloads/word-count.wasm';
const INPUT = 'infra/workloads/sample.txt';

/** True as soon as any job was ever submitted. */
export const hasJobs = async (databaseUrl: string): Promise<boolean> => {
  const pool = createPool(databaseUrl, { name: 'setup', max: 1 });
  try {
    const { rows } = await pool.query<{ known: boolean }>(
      // A range of the index on streams: `.` follows `-`.
      "select exists (select from log.events where stream >= 'job-' and stream < 'job.') as known",
    );
    return rows[0]?.known ?? false;
  } finally {
    await pool.end();
  }
};

/**
 * Runs the bundled sample job as a user would, by the command line, on this terminal.
 * @returns false when it did not settle; its reason is on the terminal, then.
 */
export const runSampleJob = async (env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<boolean> => {
  const args = ['job', 'run', '--wasm', MODULE, '--input', INPUT, '--tier', 'gold'];
  console.log(`\nThe sample job, as you would run it:\n  npx aivillage ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [join(CHECKOUT, 'infra', 'cli', 'main.ts'), ...args], {
    cwd: CHECKOUT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  signal.removeEventListener('abort', stop);
  return code === 0;
};
