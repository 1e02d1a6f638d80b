import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { logNumber } from '../options.ts';
import { addAuditLog } from './audit-log.ts';

/**
 * Most of the audit reads the log, the read models and the workflows without the API in between, so it is a program of its
 * own; these commands say what it takes and hand their arguments on.
 */
export const addAudit = (program: Command, context: CliContext): void => {
  const audit = program.command('audit').description('check the log and everything that follows from it');
  const hand = async (...args: readonly string[]): Promise<void> => context.exit(await context.audit(args));
  const json = (given?: boolean): string[] => (given ? ['--json'] : []);

  audit
    .command('check')
    .description('prove the hash chain, every replay, every read model and the sum of the ledger')
    .option('--json', 'print one JSON object and nothing else')
    .option(
      '--after <file>',
      'a signed checkpoint, or an export, of a log that was checked: only what came after it',
    )
    .action((options: { json?: true; after?: string }) =>
      hand(
        'check',
        ...json(options.json),
        ...(options.after === undefined ? [] : ['--after', options.after]),
      ),
    );
  audit
    .command('replay')
    .description('state of a stream, now or at a revision, from its events alone')
    .argument('<stream>', 'job-…, auction-…, ledger-main, …')
    .option('--at <revision>', 'up to and with this revision', logNumber)
    .option('--json', 'print it in one line')
    .action((stream: string, options: { at?: string; json?: true }) =>
      hand(
        'replay',
        ...(options.at === undefined ? [] : ['--at', options.at]),
        ...json(options.json),
        '--',
        stream,
      ),
    );
  audit
    .command('rebuild')
    .description('build read models anew beside the live ones and swap')
    .argument('[names...]', 'read models; all unless given')
    .option('--until <position>', 'print them as they were at a position; changes nothing', logNumber)
    .action((names: string[], options: { until?: string }) =>
      hand('rebuild', ...(options.until === undefined ? [] : ['--until', options.until]), '--', ...names),
    );
  audit
    .command('status')
    .description('where every read model stands, and what it has parked')
    .action(() => hand('status'));
  audit
    .command('retry')
    .description('let a read model try what it has parked again, as after a repair')
    .argument('<name>', 'a read model')
    .argument('[keys...]', 'what it has parked; all of it unless given')
    .action((name: string, keys: string[]) => hand('retry', name, ...keys));
  addAuditLog(audit, context);
};
