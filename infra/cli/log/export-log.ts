import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { HASH_BYTES } from '../../../domain/merkle.ts';
import { type LeafRange, subtreesOf } from '../../../domain/merkle-ranges.ts';
import { hashOfPart, partOf, splitHashes } from '../../tlog/tiles.ts';
import { EXPORT_FORMAT, type ExportHeaderText } from '../../verify/export/header.ts';
import type { AnchorPage, LogClient } from '../client/log-client.ts';
import { CliError, refuse } from '../failure.ts';

/** Positions wanted; from the first, up to the last that is signed, unless given. */
export interface ExportRange {
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
}

const PAGE = 2000;
const NEWLINE = 0x0a;
const EMPTY_CHAIN = '0'.repeat(2 * HASH_BYTES);

const entrySchema = z.object({ hash: z.string() });

const subtreeHashes = async (log: LogClient, range: LeafRange): Promise<string[]> => {
  const hashes: string[] = [];
  for (const { level, index, start, count } of subtreesOf(range).map(partOf)) {
    const tile = splitHashes(await log.tile({ level, index }, start + count));
    hashes.push(bytesToHex(hashOfPart(tile.slice(start))));
  }
  return hashes;
};

const chainBefore = async (log: LogClient, from: bigint): Promise<string> => {
  if (from === 1n) return EMPTY_CHAIN;
  const line = new TextDecoder().decode(await log.entries(from - 1n, 1));
  return entrySchema.parse(JSON.parse(line)).hash;
};

const linesIn = (page: Uint8Array): bigint => {
  let lines = 0n;
  for (let at = page.indexOf(NEWLINE); at >= 0; at = page.indexOf(NEWLINE, at + 1)) lines += 1n;
  return lines;
};

/** Lines of the anchors of a range of sizes. */
async function* anchorLines(log: LogClient, from: bigint, to: bigint): AsyncGenerator<Uint8Array> {
  for (let next: bigint | null = from; next !== null && next <= to; ) {
    const page: AnchorPage = await log.anchors(next, to);
    if (page.anchors.length > 0)
      yield Buffer.from(page.anchors.map((anchor) => `${JSON.stringify({ anchor })}\n`).join(''));
    next = page.next;
  }
}

/**
 * A part of a live log as an export file, piece by piece: header, anchors of heads
 * whose trees follow from it, events. Everything is as the
 * server says it; to know that it is true, it has to be verified.
 * @throws CliError when the signed log does not go that far, or the server cannot be asked.
 */
export async function* exportLog(log: LogClient, range: ExportRange = {}): AsyncGenerator<Uint8Array> {
  const { checkpoint, size, publicKey } = await log.head();
  const { from = 1n, to = size } = range;
  if (from < 1n || from > to || to > size)
    throw refuse(`--from and --to must be positions of the signed log, which has ${size}`);
  const header: ExportHeaderText = {
    format: EXPORT_FORMAT,
    from: String(from),
    to: String(to),
    size: String(size),
    chain: await chainBefore(log, from),
    left: await subtreeHashes(log, { start: 0n, end: from - 1n }),
    right: await subtreeHashes(log, { start: to, end: size }),
    checkpoint,
    public_key: publicKey,
  };
  yield Buffer.from(`${JSON.stringify(header)}\n`);
  yield* anchorLines(log, from === 1n ? 1n : from - 1n, to);
  if (to < size) yield* anchorLines(log, size, size);

  const page = (at: bigint): Promise<Uint8Array> => {
    const left = to - at + 1n;
    return log.entries(at, left < BigInt(PAGE) ? Number(left) : PAGE);
  };
  let next = page(from);
  for (let at = from; at <= to; ) {
    const lines = await next;
    const count = linesIn(lines);
    if (count === 0n) throw new CliError(`the server gave no event at position ${at}`);
    at += count;
    // The next page travels while this one is used.
    if (at <= to) {
      next = page(at);
      // A failure is met when its turn comes.
      next.catch(() => undefined);
    }
    yield lines;
  }
}
