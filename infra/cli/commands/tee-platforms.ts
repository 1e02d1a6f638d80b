import type { Command } from 'commander';
import type { Detection } from '../../tee/index.ts';
import type { CliContext } from '../context.ts';
import { columns } from '../render/text.ts';
import { writeLines } from '../write.ts';

/** Says which attestation hardware this machine has. */
export const addTeePlatforms = (
  tee: Command,
  context: CliContext,
  detect: () => Promise<readonly Detection[]>,
): void => {
  tee
    .command('platforms')
    .description('which attestation hardware this machine has; a node without any is simulated')
    .option('--json', 'print one JSON object and nothing else')
    .action(async ({ json }: { json?: true }) => {
      const platforms = (await detect()).map((each) =>
        each.found
          ? { format: each.format, available: true, device: each.found.device }
          : { format: each.format, available: false, reason: each.reason },
      );
      await writeLines(
        context.stdout,
        json
          ? [JSON.stringify({ platforms })]
          : columns(
              platforms.map(({ format, available, device, reason }) => [
                format,
                available ? 'available' : 'absent',
                device ?? reason ?? '',
              ]),
            ),
      );
    });
};
