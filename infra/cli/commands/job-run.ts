import type { Command } from 'commander';
import type { EngineClient } from '../client/client.ts';
import type { Job } from '../client/schema.ts';
import type { CliContext } from '../context.ts';
import { EXIT, refuse } from '../failure.ts';
import { ensureWritable, isStandard, readInput, writeOutput } from '../files.ts';
import { createProgressView } from '../job/progress.ts';
import { hasEnded, type JobReporter, type JobRunOptions, runJob } from '../job/run-job.ts';
import { STEPS, SUBMISSION_STEPS } from '../job/steps.ts';
import { collect, decimal, microUnits, whole } from '../options.ts';
import { jobJson } from '../render/job-json.ts';
import { headline, resultLines, timelineLines } from '../render/job-report.ts';
import { outputText } from '../render/output.ts';
import { shown } from '../render/text.ts';
import { write, writeLines } from '../write.ts';

interface Options {
  readonly wasm: string;
  readonly arg?: readonly string[];
  readonly input?: string;
  readonly output?: string;
  readonly tier: string;
  readonly tops: number;
  readonly utilization: number;
  readonly duration: number;
  readonly auctionSeconds: number;
  readonly maxWait: number;
  readonly maxPrice?: string;
  readonly memoryMb?: number;
  readonly allowSimulated?: boolean;
  readonly wait: boolean;
  readonly json?: true;
}

/** Defaults of settled 22. */
const DEFAULTS = {
  tops: 500,
  utilization: 0.8,
  durationSeconds: 60,
  auctionSeconds: 10,
  maxWaitSeconds: 300,
};

const read = async (
  options: Options,
  stdin: CliContext['stdin'],
): Promise<Omit<JobRunOptions, 'allowSimulated'>> => ({
  module: await readInput('--wasm', options.wasm, stdin),
  input: options.input === undefined ? null : await readInput('--input', options.input, stdin),
  args: options.arg ?? [],
  tier: options.tier,
  requiredTops: options.tops,
  utilization: options.utilization,
  durationSeconds: options.duration,
  auctionSeconds: options.auctionSeconds,
  maxWaitSeconds: options.maxWait,
  maxPriceMicro: options.maxPrice ?? null,
  memoryMb: options.memoryMb ?? null,
  wait: options.wait,
});

const check = ({ wasm, input, output, json, wait }: Options): void => {
  if (isStandard(wasm) && isStandard(input)) throw refuse('--wasm and --input cannot both be standard input');
  if (json && isStandard(output)) throw refuse('--json and --output - both write to standard output');
  if (!wait && output !== undefined) throw refuse('--no-wait ends before there is an output to save');
};

/** Where the job's output goes; the text that a report shows of it. */
const deliver = async (
  client: EngineClient,
  { output_sha256 }: Job,
  { output, json }: Options,
  stdout: CliContext['stdout'],
): Promise<string> => {
  if (output_sha256 === null || (json && output === undefined)) return '';
  const bytes = await client.download(output_sha256);
  if (output === undefined) return outputText(bytes);
  if (!isStandard(output)) {
    await writeOutput('--output', output, bytes);
    return `Result in ${output}\n`;
  }
  await write(stdout, bytes);
  return '';
};

const runShown = async (
  client: EngineClient,
  options: JobRunOptions,
  { stderr, interruptible }: CliContext,
): Promise<Job> => {
  const view = createProgressView(stderr, options.wait ? STEPS : SUBMISSION_STEPS);
  let jobId: string | null = null;
  const report: JobReporter = (progress) => {
    if (progress.type === 'submitted') jobId = progress.jobId;
    view.report(progress);
  };
  try {
    return await interruptible(runJob(client, options, report), () =>
      jobId === null
        ? 'Interrupted before the job was accepted'
        : `Interrupted; the job goes on: npx aivillage job show ${jobId}`,
    );
  } finally {
    await view.close();
  }
};

const run = async (context: CliContext, options: Options): Promise<void> => {
  check(options);
  const files = await read(options, context.stdin);
  if (options.output !== undefined && !isStandard(options.output)) {
    await ensureWritable('--output', options.output);
  }
  const { client, isLocalStack } = await context.engine();
  const allowSimulated = options.allowSimulated ?? isLocalStack;
  const job = await runShown(client, { ...files, allowSimulated }, context);
  const { stdout, stderr } = context;
  const output = await deliver(client, job, options, stdout);
  if (options.json) {
    await writeLines(stdout, [JSON.stringify(jobJson(job))]);
  } else if (!hasEnded(job)) {
    await writeLines(stdout, [headline(job), `Follow it: npx aivillage job show ${job.job_id}`]);
  } else {
    // Standard output that carries the raw result carries nothing else.
    const report = isStandard(options.output) ? stderr : stdout;
    await writeLines(report, ['', headline(job), '', ...timelineLines(job), '']);
    if (output !== '') await write(report, `${output}\n`);
    await writeLines(report, resultLines(job));
  }
  if (job.state === 'failed') {
    await writeLines(stderr, [`Job ${job.job_id} failed: ${job.reason}: ${shown(job.message ?? '')}`]);
    context.exit(EXIT.failed);
  }
};

export const addJobRun = (parent: Command, context: CliContext): void => {
  parent
    .command('run')
    .description('run a WASI preview 1 module on a quorum of attested enclaves, and follow it')
    .requiredOption('--wasm <file>', 'the module; - is standard input')
    .requiredOption('--tier <name>', 'bronze, silver, gold or platinum')
    .option('--arg <value>', 'an argument of the module; may be repeated', collect)
    .option('--input <file>', 'its standard input; - is standard input')
    .option(
      '--output <file>',
      'save its standard output; - is raw standard output, with the report on standard error',
    )
    .option('--tops <number>', 'throughput needed, TOPS', decimal, DEFAULTS.tops)
    .option('--utilization <share>', 'share of it in use, 0 to 1', decimal, DEFAULTS.utilization)
    .option('--duration <seconds>', 'time limit of the run', decimal, DEFAULTS.durationSeconds)
    .option('--auction-seconds <seconds>', 'how long bids are taken', whole, DEFAULTS.auctionSeconds)
    .option(
      '--max-wait <seconds>',
      'how long it may wait for room on the nodes; 0 asks for bids at once',
      whole,
      DEFAULTS.maxWaitSeconds,
    )
    .option(
      '--max-price <micro-units>',
      'most that one winner is paid, where lower than the quote',
      microUnits,
    )
    .option('--memory-mb <number>', 'memory of each enclave, MiB', whole)
    .option('--allow-simulated', 'accept simulated enclaves (default on the local stack)')
    .option('--no-allow-simulated', 'accept hardware enclaves only')
    .option('--no-wait', 'return as soon as the job is accepted')
    .option('--json', 'print one JSON object and nothing else')
    .action((options: Options) => run(context, options));
};
