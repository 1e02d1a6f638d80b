import { type Command, Option } from 'commander';
import { reportData } from '../../../domain/enclave/measurement.ts';
import { type Detection, HARDWARE_FORMATS, type HardwareFormat } from '../../tee/index.ts';
import type { CliContext } from '../context.ts';
import { CliError, refuse } from '../failure.ts';
import { ensureWritable, writeOutput } from '../files.ts';
import { hexBytes } from '../options.ts';
import { writeLines } from '../write.ts';

interface Options {
  readonly format: HardwareFormat;
  readonly evidence: string;
  readonly certificates?: string;
  readonly reportData?: string;
  readonly nonce?: string;
  readonly key?: string;
}

const REPORT_DATA_HEX = 128;
const WORD_HEX = 64;

/** The 64 bytes to bind, given as they are or as nonce and key. */
const dataOf = ({ reportData: data, nonce, key }: Options): Uint8Array => {
  if (data !== undefined) {
    if (nonce !== undefined || key !== undefined)
      throw refuse('--report-data: not together with --nonce or --key');
    if (data.length !== REPORT_DATA_HEX) throw refuse('--report-data: 64 bytes');
    return Buffer.from(data, 'hex');
  }
  if (nonce?.length !== WORD_HEX || key?.length !== WORD_HEX)
    throw refuse('give --report-data, or --nonce and --key of 32 bytes each');
  return reportData(nonce, key);
};

/** Gets evidence from this machine's hardware, for whoever verifies it elsewhere. */
export const addTeeQuote = (
  tee: Command,
  context: CliContext,
  detect: () => Promise<readonly Detection[]>,
): void => {
  tee
    .command('quote')
    .description('evidence of this machine’s hardware, bound to data of your choice')
    .addOption(
      new Option('--format <format>', 'which hardware').choices(HARDWARE_FORMATS).makeOptionMandatory(),
    )
    .requiredOption('--evidence <file>', 'where to write it')
    .option('--certificates <file>', 'where to write the certificate table that an SEV-SNP host may provide')
    .option('--report-data <hex>', '64 bytes that it shall bind', hexBytes)
    .option('--nonce <hex>', '32 bytes that it shall bind, with the key', hexBytes)
    .option('--key <hex>', '32 bytes that it shall bind, with the nonce', hexBytes)
    .action(async (options: Options) => {
      const data = dataOf(options);
      const detection = (await detect()).find(({ format }) => format === options.format);
      if (!detection?.found)
        throw new CliError(`no ${options.format}: ${detection?.reason ?? 'not looked for'}`);
      await ensureWritable('--evidence', options.evidence);
      const { evidence, auxiliary } = await detection.found.attest(data);
      await writeOutput('--evidence', options.evidence, evidence);
      if (options.certificates !== undefined)
        await writeOutput('--certificates', options.certificates, auxiliary);
      await writeLines(context.stdout, [`${evidence.length} bytes of ${options.format} evidence`]);
    });
};
