import { MalformedError } from '../der.ts';

/** What the CBOR (RFC 8949) of an attestation token can hold. */
export type Cbor =
  | number
  | bigint
  | boolean
  | null
  | string
  | Uint8Array
  | readonly Cbor[]
  | CborMap
  | CborTag;
export type CborMap = ReadonlyMap<number | string, Cbor>;

export class CborTag {
  readonly tag: number;
  readonly value: Cbor;
  constructor(tag: number, value: Cbor) {
    this.tag = tag;
    this.value = value;
  }
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;
const SIMPLE: ReadonlyMap<number, Cbor> = new Map<number, Cbor>([
  [20, false],
  [21, true],
  [22, null],
]);
const DEEPEST = 8;
const WIDTHS: Readonly<Record<number, number>> = { 24: 1, 25: 2, 26: 4, 27: 8 };

const fail = (what: string): never => {
  throw new MalformedError(`CBOR ${what}`);
};

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) fail('is cut off');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  /** Major type and argument of the next item. */
  head(): { major: number; argument: number | bigint } {
    const [initial = 0] = this.take(1);
    const [major, info] = [initial >> 5, initial & 0x1f];
    if (info < 24) return { major, argument: info };
    const width = WIDTHS[info];
    if (width === undefined || major === MAJOR.simple) return fail('has an indefinite length or a float');
    const argument = this.take(width).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
    const least = width === 1 ? 24n : 1n << BigInt(width * 4);
    if (argument < least) fail('argument is not in its shortest form');
    return { major, argument: argument <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(argument) : argument };
  }

  item(depth: number): Cbor {
    if (depth > DEEPEST) fail('is too deep');
    const { major, argument } = this.head();
    if (major === MAJOR.unsigned) return argument;
    if (major === MAJOR.negative) return typeof argument === 'number' ? -1 - argument : -1n - argument;
    if (typeof argument !== 'number') return fail('length is too large');
    switch (major) {
      case MAJOR.bytes:
        return this.take(argument);
      case MAJOR.text:
        return this.#text(argument);
      case MAJOR.array:
        return this.#array(argument, depth);
      case MAJOR.map:
        return this.#map(argument, depth);
      case MAJOR.tag:
        return new CborTag(argument, this.item(depth + 1));
      default:
        if (!SIMPLE.has(argument)) fail('simple value is unknown');
        return SIMPLE.get(argument) as Cbor;
    }
  }

  #text(size: number): string {
    const bytes = this.take(size);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new MalformedError('CBOR text is not UTF-8', { cause });
    }
  }

  #array(count: number, depth: number): Cbor[] {
    // Every item takes a byte at least, so a count beyond that is cut off; nothing is allocated for it.
    const items: Cbor[] = [];
    for (let index = 0; index < count; index++) items.push(this.item(depth + 1));
    return items;
  }

  #map(count: number, depth: number): CborMap {
    const members = new Map<number | string, Cbor>();
    for (let index = 0; index < count; index++) {
      const key = this.item(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string') return fail('key is neither integer nor text');
      if (members.has(key)) fail('key appears twice');
      members.set(key, this.item(depth + 1));
    }
    return members;
  }
}

/**
 * The single item that `bytes` consist of. Strict: definite lengths, shortest forms, no floats, no key twice, bounded
 * depth. So a value has one encoding, but for the order of a map's members. Byte strings are views into the input.
 * @throws MalformedError
 */
export const decodeCbor = (bytes: Uint8Array): Cbor => {
  const reader = new Reader(bytes);
  const item = reader.item(0);
  if (!reader.ended) fail('has trailing bytes');
  return item;
};

const headOf = (major: number, argument: number): number[] => {
  const initial = major << 5;
  if (argument < 24) return [initial | argument];
  if (argument < 0x100) return [initial | 24, argument];
  if (argument < 0x10000) return [initial | 25, argument >> 8, argument & 0xff];
  return [initial | 26, argument >>> 24, (argument >>> 16) & 0xff, (argument >>> 8) & 0xff, argument & 0xff];
};

/** An array of byte strings and text, the two kinds that a COSE signature covers. Lengths below 2^32. */
export const encodeSigStructure = (items: readonly (Uint8Array | string)[]): Uint8Array => {
  const parts: (readonly number[] | Uint8Array)[] = [headOf(MAJOR.array, items.length)];
  for (const item of items) {
    const isText = typeof item === 'string';
    const body = isText ? new TextEncoder().encode(item) : item;
    parts.push(headOf(isText ? MAJOR.text : MAJOR.bytes, body.length), body);
  }
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
