import { derReader, MalformedError, TAG } from './der.ts';

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Strict standard base64, white space allowed (PEM). @throws MalformedError */
const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const compact = text.replace(/[\r\n\t ]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
    throw new MalformedError('not base64');
  const binary = atob(compact);
  // atob ignores set bits behind the last byte; accepting them would give one byte string many texts.
  const tail = compact.length - 4;
  if (btoa(binary.slice((tail / 4) * 3)) !== compact.slice(Math.max(tail, 0)))
    throw new MalformedError('not canonical base64');
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};

/** Strict standard base64 with padding: one text per byte string. @throws MalformedError */
export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = decodeBase64(text);
  if (toBase64(bytes) !== text) throw new MalformedError('not canonical base64');
  return bytes;
};

/**
 * Strict base64url without padding: one text per byte string, so an encoding cannot be varied.
 * @throws MalformedError
 */
export const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> => {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new MalformedError('not base64url');
  const padded = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(text.length / 4) * 4, '=');
  const bytes = decodeBase64(padded);
  if (toBase64Url(bytes) !== text) throw new MalformedError('not canonical base64url');
  return bytes;
};

export const toBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
};

export const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** Bytes of hex text, at most `limit` of them. @throws MalformedError */
export const fromHex = (text: string, limit: number): Uint8Array<ArrayBuffer> => {
  if (text.length > limit * 2 || text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text))
    throw new MalformedError(`not hex of at most ${limit} bytes`);
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
};

const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;
const PEM_KEY = /^\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----\s*$/;

/** DER of a public key given as DER or as PEM text. @throws MalformedError */
export const publicKeyBytes = (bytes: Uint8Array): Uint8Array => {
  if (bytes[0] === 0x30) return bytes;
  const match = PEM_KEY.exec(new TextDecoder().decode(bytes));
  if (!match) throw new MalformedError('not a public key in DER or PEM');
  return decodeBase64(match[1] ?? '');
};

/**
 * The certificates in `bytes`: PEM text with any number of blocks, or DER elements one after another.
 * At most `limit`. @throws MalformedError
 */
export const splitCertificates = (bytes: Uint8Array, limit: number): Uint8Array[] => {
  const isPem = bytes[0] !== 0x30;
  const found = isPem ? pemBlocks(bytes) : derElements(bytes, limit);
  if (found.length === 0 || found.length > limit)
    throw new MalformedError(`expected 1 to ${limit} certificates`);
  return found;
};

const pemBlocks = (bytes: Uint8Array): Uint8Array[] =>
  [...new TextDecoder().decode(bytes).matchAll(PEM)].map((match) => decodeBase64(match[1] ?? ''));

const derElements = (bytes: Uint8Array, limit: number): Uint8Array[] => {
  const reader = derReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.peek() !== null && found.length <= limit) found.push(reader.next(TAG.sequence).raw);
  return found;
};
