/** A small DER writer (X.690): enough to issue an X.509 certificate. */

const lengthOf = (length: number): Uint8Array => {
  if (length < 0x80) return Uint8Array.of(length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(0x80 | digits.length, ...digits);
};

/** One element: tag, length and the concatenated `parts`. */
export const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(body.length), body]);
};

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => der(0x31, ...parts);
export const octets = (bytes: Uint8Array): Uint8Array => der(0x04, bytes);
export const utf8 = (text: string): Uint8Array => der(0x0c, Buffer.from(text, 'utf8'));
export const ia5 = (text: string): Uint8Array => der(0x16, Buffer.from(text, 'latin1'));
export const bits = (bytes: Uint8Array, unused = 0): Uint8Array => der(0x03, Uint8Array.of(unused), bytes);
export const flag = (): Uint8Array => der(0x01, Uint8Array.of(0xff));
/** Context-specific constructed tag. */
export const tagged = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  der(0xa0 | number, ...parts);

/** A non-negative INTEGER from big-endian bytes. */
export const integer = (bytes: Uint8Array): Uint8Array => {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  return (digits[0] ?? 0) >= 0x80 ? der(0x02, Uint8Array.of(0), digits) : der(0x02, digits);
};

export const oid = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...arcs].flatMap(base128)));
};

const base128 = (arc: number): number[] => {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift(0x80 | (rest % 128));
  return digits;
};

/** An instant, to the second: UTCTime before 2050, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export const time = (ms: number): Uint8Array => {
  const text = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '');
  return text < '2050'
    ? der(0x17, Buffer.from(text.slice(2), 'latin1'))
    : der(0x18, Buffer.from(text, 'latin1'));
};
