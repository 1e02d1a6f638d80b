import { resolve } from 'node:path';
import { Command } from 'commander';
import { MIN_ROUNDS, runSuite, type Suite } from './harness.ts';

/** One file per suite, loaded when it is asked for. */
const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  store: () => import('./store.ts'),
  host: () => import('./host.ts'),
  crypto: () => import('./crypto.ts'),
  sandbox: () => import('./sandbox.ts'),
  growth: () => import('./growth.ts'),
  job: () => import('./job.ts'),
};

const options = (command: Command) =>
  command.opts<{ json?: boolean; rounds: number; only: string[]; jobs: number; against?: string }>();

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new RangeError('a whole number');
  return value;
};

await new Command('bench')
  .argument('<suite>', `one of: ${Object.keys(SUITES).join(', ')}`)
  .option('--json', 'print nothing but the line of results')
  .option('--rounds <number>', 'measured rounds per case', wholeNumber, 9)
  .option('--only <case...>', 'only these cases', [])
  .option('--against <directory>', 'another checkout, to compare the suite `job` with', (path) =>
    resolve(path),
  )
  .option(
    '--jobs <number>',
    'jobs after which the suite `job` looks at memory; most jobs of the suite `growth`',
    wholeNumber,
    0,
  )
  .action(async (name: string, _options, command: Command) => {
    const load = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
    if (!load) return command.error(`unknown suite ${name}`);
    const { json, rounds, only, against, jobs } = options(command);
    const { suite } = await load();
    const { minRounds = MIN_ROUNDS } = suite;
    if (rounds < minRounds) return command.error(`at least ${minRounds} rounds`);
    const onProgress = (line: string): void => void (json || process.stderr.write(`${line}\n`));
    const result = await runSuite(suite, { rounds, only, jobs, against: against ?? null, onProgress });
    process.stdout.write(`${JSON.stringify(result)}\n`);
  })
  .parseAsync();
