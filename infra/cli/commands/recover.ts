import type { Command } from 'commander';
import type { CliContext } from '../context.ts';

/** Reads the log and starts workflows without the API in between, so it is a program of its own. */
export const addRecover = (program: Command, context: CliContext): void => {
  program
    .command('recover')
    .description(
      'open every unfinished job, auction, quorum and enclave again from the log: Temporal lost its own',
    )
    .action(async () => context.exit(await context.recover()));
};
