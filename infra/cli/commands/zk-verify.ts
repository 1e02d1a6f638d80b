import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { EXIT } from '../failure.ts';
import { writeLines } from '../write.ts';
import { proofFile, readJson } from '../zk/files.ts';

/** Hands a proof to the engine, which accepts it once. */
export const addZkVerify = (parent: Command, context: CliContext): void => {
  parent
    .command('verify')
    .description('verify a proof that you asked for; exits with 0 when it is accepted, with 1 when it is not')
    .argument('<file>', 'the proof (zk prove); - for standard input')
    .option('--json', 'print one JSON object and nothing else')
    .action(async (file: string, { json }: { json?: true }) => {
      const claim = await readJson('FILE', file, proofFile, context.stdin);
      const { zk } = await context.engine();
      const verdict = await zk.verify(claim);
      const words = verdict.result
        ? [
            `accepted: ${claim.context.predicate}`,
            `nullifier: ${verdict.nullifier}`,
            `set-up: ${verdict.setup}`,
          ]
        : [`refused: ${verdict.reason ?? 'unknown'}`];
      await writeLines(context.stdout, json ? [JSON.stringify(verdict)] : words);
      context.exit(verdict.result ? EXIT.ok : EXIT.failed);
    });
};
