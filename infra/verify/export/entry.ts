import { utf8ToBytes } from '@noble/hashes/utils.js';
import { MalformedError } from '../der.ts';

/** One event of an exported log. */
export interface ExportEntry {
  /** The 64 hex digits of the recorded chain hash, as text bytes. */
  readonly hash: Uint8Array;
  /** The exact bytes that were hashed into the log. */
  readonly envelope: Uint8Array;
}

const HASH_DIGITS = 64;
const START = '{"position":"';
const BEFORE_HASH = '","hash":"';
const BEFORE_ENVELOPE = '","envelope":';
const END = 0x7d;

/** Whether the ASCII `text` stands in the line at an offset: compared in place, for this runs for every event. */
export const stands = (text: string, line: Uint8Array, at: number): boolean => {
  for (let index = 0; index < text.length; index++)
    if (line[at + index] !== text.charCodeAt(index)) return false;
  return true;
};

/**
 * Reads `{"position":"…","hash":"…","envelope":…}`, in this order and without white space: the envelope is then a slice of
 * the line, hashed as it stands instead of being parsed and written anew. @throws MalformedError
 */
export const parseEntry = (line: Uint8Array, position: bigint): ExportEntry => {
  const digits = String(position);
  const hash = START.length + digits.length + BEFORE_HASH.length;
  const envelope = hash + HASH_DIGITS + BEFORE_ENVELOPE.length;
  const isEntry =
    stands(START, line, 0) &&
    stands(digits, line, START.length) &&
    stands(BEFORE_HASH, line, START.length + digits.length) &&
    stands(BEFORE_ENVELOPE, line, hash + HASH_DIGITS) &&
    line.at(-1) === END;
  if (!isEntry) throw new MalformedError(`no event ${position} in its line`);
  return { hash: line.subarray(hash, hash + HASH_DIGITS), envelope: line.subarray(envelope, -1) };
};

const DIGITS = utf8ToBytes('0123456789abcdef');

/** Whether text bytes are the lower-case hex of `bytes`. */
export const isHexOf = (digits: Uint8Array, bytes: Uint8Array): boolean => {
  if (digits.length !== 2 * bytes.length) return false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    if (digits[2 * index] !== DIGITS[byte >> 4] || digits[2 * index + 1] !== DIGITS[byte & 15]) return false;
  }
  return true;
};

/** The bytes of lower-case hex in text bytes; null when it is none. */
export const bytesOfHex = (digits: Uint8Array): Uint8Array | null => {
  const bytes = Uint8Array.from({ length: digits.length / 2 }, (_, index) => {
    const [high, low] = [
      DIGITS.indexOf(digits[2 * index] as number),
      DIGITS.indexOf(digits[2 * index + 1] as number),
    ];
    return (high << 4) | low;
  });
  return isHexOf(digits, bytes) ? bytes : null;
};

const decoder = new TextDecoder('utf-8', { fatal: true });

/** What an envelope says of its place. Null when it is not JSON with an id, a stream and a revision that fit together. */
export const placeOf = (envelope: Uint8Array): { stream: string; revision: number } | null => {
  let fields: { stream?: unknown; revision?: unknown; id?: unknown } | null;
  try {
    fields = JSON.parse(decoder.decode(envelope)) as typeof fields;
  } catch {
    return null;
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const { stream, revision, id } = fields;
  if (typeof stream !== 'string' || typeof revision !== 'number' || !Number.isSafeInteger(revision))
    return null;
  return id === `${stream}@${revision}` ? { stream, revision } : null;
};
