import { isBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { MalformedError } from '../der.ts';

/** A file: its text, its bytes, or its bytes piece by piece as they are read. */
export type ByteSource = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const NEWLINE = 0x0a;
/** More than any event: a file without line ends is not kept in memory. */
const LONGEST_LINE = 64 * 1024 * 1024;

const piecesOf = (source: ByteSource): Iterable<Uint8Array> | AsyncIterable<Uint8Array> => {
  if (typeof source === 'string') return [utf8ToBytes(source)];
  if (ArrayBuffer.isView(source)) return [source];
  const isRead = [Symbol.iterator, Symbol.asyncIterator].some((way) => way in Object(source ?? {}));
  if (!isRead) throw new MalformedError('not a file');
  return source;
};

/**
 * The lines of a source without their newlines, as many at a time as a piece ends: one await for many lines.
 * @throws MalformedError when the last line does not end, or one is endless.
 */
export async function* linesOf(source: ByteSource): AsyncGenerator<Uint8Array[]> {
  let rest = new Uint8Array(0);
  for await (const piece of piecesOf(source)) {
    if (!isBytes(piece)) throw new MalformedError('a piece is no bytes');
    const bytes = rest.length === 0 ? piece : joined(rest, piece);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    // A copy: who reads pieces may use their memory again.
    rest = bytes.slice(start);
    if (rest.length > LONGEST_LINE) throw new MalformedError('a line is too long');
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) throw new MalformedError('the last line is cut off');
}

const joined = (left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
};
