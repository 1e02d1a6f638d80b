import { MalformedError } from './der.ts';

/** Recursive Length Prefix (Ethereum Yellow Paper, appendix B): bytes, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Headers, receipts and trie nodes nest no deeper than this. */
const DEEPEST = 8;

export const isBytes = (item: RlpItem | undefined): item is Uint8Array => item instanceof Uint8Array;
export const isList = (item: RlpItem | undefined): item is readonly RlpItem[] => Array.isArray(item);

/** The one item that `bytes` hold, in the only encoding that it has. @throws MalformedError */
export const decodeRlp = (bytes: Uint8Array): RlpItem => {
  const { item, end } = itemAt(bytes, 0, DEEPEST);
  if (end !== bytes.length) throw new MalformedError('bytes after the RLP item');
  return item;
};

const itemAt = (bytes: Uint8Array, start: number, depth: number): { item: RlpItem; end: number } => {
  const first = bytes[start];
  if (first === undefined || depth === 0) throw new MalformedError('RLP ends early or nests too deep');
  if (first < 0x80) return { item: bytes.slice(start, start + 1), end: start + 1 };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  const prefix = short > 55 ? short - 55 : 0;
  const from = start + 1 + prefix;
  const end = from + (prefix === 0 ? short : longLength(bytes.subarray(start + 1, from), prefix));
  if (end > bytes.length) throw new MalformedError('RLP ends early');
  if (isList) return { item: listIn(bytes.subarray(0, end), from, depth), end };
  const content = bytes.slice(from, end);
  if (content.length === 1 && (content[0] as number) < 0x80)
    throw new MalformedError('a small byte stands for itself');
  return { item: content, end };
};

const listIn = (bytes: Uint8Array, from: number, depth: number): RlpItem[] => {
  const items: RlpItem[] = [];
  for (let at = from; at < bytes.length; ) {
    const { item, end } = itemAt(bytes, at, depth - 1);
    items.push(item);
    at = end;
  }
  return items;
};

const longLength = (digits: Uint8Array, count: number): number => {
  // Six bytes count further than any input is long.
  if (digits.length !== count || count > 6 || digits[0] === 0) throw new MalformedError('not an RLP length');
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (length < 56) throw new MalformedError('a short RLP item has a short length');
  return length;
};

export const encodeRlp = (item: RlpItem): Uint8Array => {
  if (isBytes(item)) {
    if (item.length === 1 && (item[0] as number) < 0x80) return item;
    return joined([lengthPrefix(0x80, item.length), item]);
  }
  const content = joined(item.map(encodeRlp));
  return joined([lengthPrefix(0xc0, content.length), content]);
};

const lengthPrefix = (base: number, length: number): Uint8Array => {
  if (length < 56) return Uint8Array.of(base + length);
  const digits = unsignedBytes(BigInt(length));
  return Uint8Array.of(base + 55 + digits.length, ...digits);
};

/** Big-endian without leading zeros; zero is the empty string. */
export const unsignedBytes = (value: bigint): Uint8Array => {
  const hex = value.toString(16);
  const even = value === 0n ? '' : hex.length % 2 === 0 ? hex : `0${hex}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, at) =>
    Number.parseInt(even.slice(at * 2, at * 2 + 2), 16),
  );
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
