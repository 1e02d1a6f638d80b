import type { Command } from 'commander';
import type { JobSummary } from '../client/schema.ts';
import type { CliContext } from '../context.ts';
import { columns } from '../render/text.ts';
import { writeLines } from '../write.ts';

const table = (jobs: readonly JobSummary[]): string[] =>
  jobs.length === 0
    ? ['No jobs yet']
    : columns(
        jobs.map(({ job_id, state, tier, price_micro, submitted_at }) => [
          job_id,
          state,
          tier,
          submitted_at,
          price_micro === null ? '' : `${price_micro} micro-units`,
        ]),
      );

export const addJobList = (parent: Command, context: CliContext): void => {
  parent
    .command('list')
    .description('your jobs, newest first')
    .option('--json', 'print one JSON object and nothing else')
    .action(async ({ json }: { json?: true }) => {
      const { client } = await context.engine();
      const jobs = await Array.fromAsync(client.jobs());
      const items = jobs.map(({ job_id, state }) => ({ job_id, state }));
      await writeLines(context.stdout, json ? [JSON.stringify({ items })] : table(jobs));
    });
};
