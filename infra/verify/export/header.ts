import { HASH_BYTES } from '../../../domain/merkle.ts';
import { subtreesOf } from '../../../domain/merkle-ranges.ts';
import { fromHex } from '../bytes.ts';
import { MalformedError } from '../der.ts';

/** Since 2 anchors may stand between the header and the events. */
export const EXPORT_FORMAT = 'aivillage-log/2';
const FORMATS: readonly unknown[] = [EXPORT_FORMAT, 'aivillage-log/1'];

/**
 * First line of an exported log, as JSON. What a part of the log lacks to its tree is given as the hashes of complete
 * subtrees before and behind it; of the whole log both lists are empty.
 */
export interface ExportHeaderText {
  readonly format: string;
  /** Positions of the first and the last event, decimal. `from` is `to` + 1 when there is none. */
  readonly from: string;
  readonly to: string;
  /** Size of the checkpoint's tree. */
  readonly size: string;
  /** Hex chain hash before the first event. */
  readonly chain: string;
  /** Hex hashes of the complete subtrees of the leaves before `from`, left to right, and of those behind `to`. */
  readonly left: readonly string[];
  readonly right: readonly string[];
  /** Signed note. */
  readonly checkpoint: string;
  /** Key of the log: name+id+base64. */
  readonly public_key: string;
}

export interface ExportHeader {
  readonly from: bigint;
  readonly to: bigint;
  readonly size: bigint;
  readonly chain: Uint8Array;
  readonly left: readonly PlacedSubtree[];
  readonly right: readonly PlacedSubtree[];
  readonly checkpoint: string;
  readonly publicKey: string;
}

/** A complete subtree of 2^level leaves. */
export interface PlacedSubtree {
  readonly level: number;
  readonly hash: Uint8Array;
}

const HASH = /^[0-9a-f]{64}$/;
const DECIMAL = /^(?:0|[1-9]\d{0,18})$/;

const text = (fields: Record<string, unknown>, name: keyof ExportHeaderText): string => {
  const value = fields[name];
  if (typeof value !== 'string') throw new MalformedError(`${name} is not text`);
  return value;
};

const count = (fields: Record<string, unknown>, name: keyof ExportHeaderText): bigint => {
  const value = text(fields, name);
  if (!DECIMAL.test(value)) throw new MalformedError(`${name} is not a whole number`);
  return BigInt(value);
};

const hashOf = (hex: unknown): Uint8Array => {
  if (typeof hex !== 'string' || !HASH.test(hex)) throw new MalformedError('not a hash');
  return fromHex(hex, HASH_BYTES);
};

/** The hashes of `list` at the places where the subtrees of a range of leaves are. */
const placed = (list: unknown, start: bigint, end: bigint): PlacedSubtree[] => {
  const subtrees = subtreesOf({ start, end });
  if (!Array.isArray(list) || list.length !== subtrees.length)
    throw new MalformedError(`${subtrees.length} subtrees are not part of the export`);
  return subtrees.map(({ level }, at) => ({ level, hash: hashOf(list[at]) }));
};

/** @throws MalformedError */
export const parseExportHeader = (line: string): ExportHeader => {
  let fields: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) throw new MalformedError('the header is no object');
    fields = value as Record<string, unknown>;
  } catch (error) {
    if (error instanceof MalformedError) throw error;
    throw new MalformedError('the header is not JSON');
  }
  if (!FORMATS.includes(fields['format']))
    throw new MalformedError(`the format is none of ${FORMATS.join(', ')}`);
  const [from, to, size] = [count(fields, 'from'), count(fields, 'to'), count(fields, 'size')];
  if (from < 1n || to < from - 1n || to > size) throw new MalformedError('no such part of a log');
  return {
    from,
    to,
    size,
    chain: hashOf(fields['chain']),
    left: placed(fields['left'], 0n, from - 1n),
    right: placed(fields['right'], to, size),
    checkpoint: text(fields, 'checkpoint'),
    publicKey: text(fields, 'public_key'),
  };
};
