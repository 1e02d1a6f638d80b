import { Command, CommanderError } from 'commander';
import { addAudit } from './commands/audit.ts';
import { addJobList } from './commands/job-list.ts';
import { addJobRun } from './commands/job-run.ts';
import { addJobShow } from './commands/job-show.ts';
import { addRecover } from './commands/recover.ts';
import { addSubject } from './commands/subject.ts';
import { addTee } from './commands/tee.ts';
import { addVrfVerify } from './commands/vrf-verify.ts';
import { addZk } from './commands/zk.ts';
import type { CliContext } from './context.ts';
import { CliError, EXIT } from './failure.ts';
import { writeLines } from './write.ts';

const NOTES = `
Exit codes: 0 as asked; 1 the job or a check failed, or the API could not do it; 2 the request was refused.
A job that settles exits with 0 whatever the exit code of its module, which is printed.
The API and its key come from $AIVILLAGE_HOME/credentials.json, or AIVILLAGE_API_URL and AIVILLAGE_API_KEY.`;

const createProgram = (context: CliContext): Command => {
  const program = new Command('aivillage')
    .description('Run jobs on a fog-computing network, and audit what it did')
    .addHelpText('after', NOTES)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showHelpAfterError('(--help tells more)')
    .exitOverride();
  const job = program.command('job').description('run jobs and look at them');
  addJobRun(job, context);
  addJobShow(job, context);
  addJobList(job, context);
  addAudit(program, context);
  addRecover(program, context);
  addSubject(program, context);
  addTee(program, context);
  addVrfVerify(program, context);
  addZk(program, context);
  return program;
};

/** Runs one command line, without the names of Node and script. The exit code goes to `context.exit`. */
export const runCli = async (argv: readonly string[], context: CliContext): Promise<void> => {
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
  } catch (error) {
    // Commander has said what is wrong; help that was asked for is no error.
    if (error instanceof CommanderError) {
      context.exit(error.exitCode === 0 || error.code === 'commander.help' ? EXIT.ok : EXIT.refused);
      return;
    }
    if (!(error instanceof CliError)) throw error;
    await writeLines(context.stderr, [error.message]);
    context.exit(error.exitCode);
  }
};
