/** A strict reader for the DER subset that X.509 needs (X.690): definite minimal lengths, low tag numbers. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Input that is not what it should be. Only parsers throw it, and every verifier turns it into a reason code. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** One element: `body` is the content, `raw` the whole encoding; both are views. */
export interface DerElement {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly raw: Uint8Array;
}

export interface DerReader {
  /** Tag of the next element, or null at the end. */
  readonly peek: () => number | null;
  /** The next element. @throws MalformedError when it is absent, cut off, or has another tag than `expected`. */
  readonly next: (expected?: number) => DerElement;
  /** @throws MalformedError when bytes are left. */
  readonly end: () => void;
}

const readLength = (bytes: Uint8Array, at: number): { length: number; size: number } => {
  const first = bytes[at];
  if (first === undefined) throw new MalformedError('DER length is missing');
  if (first < 0x80) return { length: first, size: 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 3) throw new MalformedError('DER length is indefinite or too large');
  let length = 0;
  for (let index = 1; index <= count; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new MalformedError('DER length is cut off');
    length = length * 256 + byte;
  }
  if (length < 0x80 || length < 256 ** (count - 1)) throw new MalformedError('DER length is not minimal');
  return { length, size: 1 + count };
};

export const derReader = (bytes: Uint8Array): DerReader => {
  let at = 0;
  return {
    peek: () => bytes[at] ?? null,
    next: (expected) => {
      const tag = bytes[at];
      if (tag === undefined) throw new MalformedError('DER element is missing');
      if ((tag & 0x1f) === 0x1f) throw new MalformedError('DER tag is too large');
      if (expected !== undefined && tag !== expected)
        throw new MalformedError(`DER tag is ${tag}, expected ${expected}`);
      const { length, size } = readLength(bytes, at + 1);
      const start = at + 1 + size;
      if (start + length > bytes.length) throw new MalformedError('DER element is cut off');
      const element = {
        tag,
        body: bytes.subarray(start, start + length),
        raw: bytes.subarray(at, start + length),
      };
      at = start + length;
      return element;
    },
    end: () => {
      if (at !== bytes.length) throw new MalformedError('DER has trailing bytes');
    },
  };
};

/** The single element that `bytes` consist of. */
export const derSingle = (bytes: Uint8Array, expected?: number): DerElement => {
  const reader = derReader(bytes);
  const element = reader.next(expected);
  reader.end();
  return element;
};

/** A non-negative INTEGER below 2^31. */
export const derSmallInteger = (bytes: Uint8Array): number => {
  const { body } = derSingle(bytes, TAG.integer);
  const [first, second] = body;
  if (first === undefined || first >= 0x80 || body.length > 4)
    throw new MalformedError('DER integer is out of range');
  if (first === 0 && second !== undefined && second < 0x80)
    throw new MalformedError('DER integer is not minimal');
  return body.reduce((value, byte) => value * 256 + byte, 0);
};

/** An optional BOOLEAN DEFAULT FALSE: DER writes it only when true, as 0xff. */
export const derFlag = (reader: DerReader): boolean => {
  if (reader.peek() !== TAG.boolean) return false;
  const { body } = reader.next();
  if (body.length !== 1 || body[0] !== 0xff) throw new MalformedError('BOOLEAN DEFAULT FALSE is not DER');
  return true;
};

/** Octets of a BIT STRING without unused bits. */
export const bitStringBytes = (element: DerElement): Uint8Array => {
  if (element.body[0] !== 0) throw new MalformedError('BIT STRING has unused bits');
  return element.body.subarray(1);
};

/** Dotted form of an OBJECT IDENTIFIER's content. */
export const oidText = (body: Uint8Array): string => {
  const arcs: number[] = [];
  let value = 0;
  let open = false;
  for (const byte of body) {
    if (!open && byte === 0x80) throw new MalformedError('OID arc is not minimal');
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER) throw new MalformedError('OID arc is too large');
    open = byte >= 0x80;
    if (!open) {
      arcs.push(value);
      value = 0;
    }
  }
  const head = arcs.shift();
  if (open || head === undefined) throw new MalformedError('OID is cut off');
  const root = Math.min(Math.floor(head / 40), 2);
  return [root, head - root * 40, ...arcs].join('.');
};
