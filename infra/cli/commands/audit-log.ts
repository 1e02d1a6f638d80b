import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { nodeSha256 } from '../../tlog/hashes.ts';
import { parseExportHeader } from '../../verify/export/header.ts';
import { verifyExport } from '../../verify/index.ts';
import type { CliContext } from '../context.ts';
import { EXIT, refuse } from '../failure.ts';
import { because, isStandard } from '../files.ts';
import { type ExportRange, exportLog } from '../log/export-log.ts';
import { blockHashes, collect, evmAddress, logNumber } from '../options.ts';
import { logJson, logReport } from '../render/log-report.ts';
import { write, writeLines } from '../write.ts';

interface RangeOptions {
  readonly from?: string;
  readonly to?: string;
}

interface VerifyOptions extends RangeOptions {
  readonly publicKey?: string;
  readonly earlier?: readonly string[];
  readonly anchorBlock?: readonly string[];
  readonly anchorContract?: string;
  readonly json?: true;
}

/** Read in pieces of this size: fewer of them cost fewer turns of the event loop. */
const PIECE_BYTES = 1024 * 1024;

const rangeOf = ({ from, to }: RangeOptions): ExportRange => ({
  from: from === undefined ? undefined : BigInt(from),
  to: to === undefined ? undefined : BigInt(to),
});

/** A checkpoint kept by the user: the note itself, or an exported log, whose first line holds one. */
const earlierCheckpoint = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw because('--earlier', file, error);
  });
  // A newline more is what editors and `echo` add; any other change is the signature's to notice.
  if (!text.startsWith('{')) return text.replace(/\n\n$/, '\n');
  try {
    return parseExportHeader(text.slice(0, text.indexOf('\n'))).checkpoint;
  } catch {
    throw refuse(`--earlier ${file}: neither a checkpoint nor an exported log`);
  }
};

async function* readFrom(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: PIECE_BYTES });
  } catch (error) {
    throw because('FILE', file, error);
  }
}

const addRange = (command: Command): Command =>
  command
    .option('--from <position>', 'first event; the first of the log unless given', logNumber)
    .option('--to <position>', 'last event; the last that is signed unless given', logNumber);

/** The log itself as an outsider checks it: through the API, or from a file without access to anything. */
export const addAuditLog = (audit: Command, context: CliContext): void => {
  addRange(audit.command('export'))
    .description('write the signed log to a file that anybody can verify')
    .argument('<file>', 'to write; - for standard output')
    .action(async (file: string, options: RangeOptions) => {
      const { log } = await context.engine();
      const pieces = exportLog(log, rangeOf(options));
      if (isStandard(file)) {
        for await (const piece of pieces) await write(context.stdout, piece);
        return;
      }
      const partial = `${file}.partial`;
      try {
        await pipeline(Readable.from(pieces, { objectMode: true }), createWriteStream(partial));
        await rename(partial, file);
      } catch (error) {
        await rm(partial, { force: true });
        throw (error as NodeJS.ErrnoException).syscall === undefined ? error : because('FILE', file, error);
      }
    });

  addRange(audit.command('verify'))
    .description('verify hash chain, tree, signature and anchors of the live log, or of an exported one')
    .argument('[file]', 'an exported log; - for standard input')
    .option('--public-key <key>', 'key of the log as you know it, name+id+base64')
    .option('--earlier <file>', 'a checkpoint or an export that you kept; may be repeated', collect)
    .option(
      '--anchor-block <hash>',
      'a block that you know to be on the chain and that must hold a head of the log; may be repeated',
      blockHashes,
    )
    .option(
      '--anchor-contract <address>',
      'the contract that anchors must be in; any unless given',
      evmAddress,
    )
    .option('--json', 'print one JSON object and nothing else')
    .action(async (file: string | undefined, options: VerifyOptions) => {
      if (file !== undefined && (options.from ?? options.to) !== undefined)
        throw refuse('--from and --to are for the live log; a file is verified as a whole');
      const { anchorBlock, anchorContract } = options;
      if (anchorContract !== undefined && anchorBlock === undefined)
        throw refuse('--anchor-contract says nothing without an --anchor-block');
      const earlier = await Promise.all((options.earlier ?? []).map(earlierCheckpoint));
      const source =
        file === undefined
          ? exportLog((await context.engine()).log, rangeOf(options))
          : isStandard(file)
            ? context.stdin
            : readFrom(file);
      const start = performance.now();
      const verdict = await verifyExport({
        source,
        earlier,
        sha256: nodeSha256,
        ...(options.publicKey === undefined ? {} : { publicKey: options.publicKey }),
        ...(anchorBlock === undefined
          ? {}
          : {
              anchoring: {
                blocks: anchorBlock,
                ...(anchorContract === undefined ? {} : { contract: anchorContract }),
              },
            }),
      });
      const seconds = (performance.now() - start) / 1000;
      await writeLines(
        context.stdout,
        options.json ? [logJson(verdict, seconds)] : logReport(verdict, seconds),
      );
      context.exit(verdict.valid ? EXIT.ok : EXIT.failed);
    });
};
