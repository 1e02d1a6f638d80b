import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { jobJson } from '../render/job-json.ts';
import { headline, resultLines, timelineLines } from '../render/job-report.ts';
import { writeLines } from '../write.ts';

export const addJobShow = (parent: Command, context: CliContext): void => {
  parent
    .command('show')
    .description('state, timeline, members and money of a job')
    .argument('<id>', 'job-…')
    .option('--json', 'print one JSON object and nothing else')
    .action(async (id: string, { json }: { json?: true }) => {
      const { client } = await context.engine();
      const job = await client.status(id);
      await writeLines(
        context.stdout,
        json
          ? [JSON.stringify(jobJson(job))]
          : [headline(job), '', ...timelineLines(job), '', ...resultLines(job)],
      );
    });
};
