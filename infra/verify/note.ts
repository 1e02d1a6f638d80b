import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, isBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { equalBytes, fromBase64, toBase64 } from './bytes.ts';
import { MalformedError } from './der.ts';

/** The signed note of C2SP (c2sp.org/signed-note): text, an empty line, signature lines. */
export interface SignedNote {
  /** With its final newline: these bytes are signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** First 4 bytes of a hash of name, algorithm and key. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** An Ed25519 key that may sign notes. */
export interface NoteKey {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
/** 16 signatures of 5 kB, which every verifier must take, and as much again. */
const MAXIMUM_BYTES = 160_000;
/** Characters below U+0020 but the line feed. */
const CONTROL = /(?!\n)[^\P{Cc}\u007f-\u009f]/u;
const KEY_NAME = /^[^\s+]+$/u;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;

/** SHA-256(name ‖ newline ‖ 0x01 ‖ key), first 4 bytes. */
export const noteKeyId = ({ name, publicKey }: NoteKey): Uint8Array =>
  sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(ED25519), publicKey)).slice(0, KEY_ID_BYTES);

/** `<name>+<key id in hex>+<base64 of algorithm and key>`, the form in which keys of notes are given to verifiers. */
export const formatNoteKey = (key: NoteKey): string => {
  const id = [...noteKeyId(key)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${key.name}+${id}+${toBase64(concatBytes(Uint8Array.of(ED25519), key.publicKey))}`;
};

/** @throws MalformedError when it is no key of an Ed25519 signer or its id is not that of its content. */
export const parseNoteKey = (text: string): NoteKey => {
  const [, name, , encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? [];
  if (name === undefined || encoded === undefined) throw new MalformedError('not a key of a note');
  const bytes = fromBase64(encoded);
  if (bytes.length !== 33 || bytes[0] !== ED25519) throw new MalformedError('not an Ed25519 key');
  const key = { name, publicKey: bytes.slice(1) };
  if (formatNoteKey(key) !== text) throw new MalformedError('the key id is of another key');
  return key;
};

export const isKeyName = (name: string): boolean => KEY_NAME.test(name);

/** @throws MalformedError */
export const parseNote = (note: string | Uint8Array): SignedNote => {
  const all = noteText(note);
  if (CONTROL.test(all)) throw new MalformedError('a note has no control characters');
  const end = all.lastIndexOf('\n\n');
  if (end <= 0 || !all.endsWith('\n')) throw new MalformedError('a note is text, an empty line, signatures');
  const lines = all.slice(end + 2, -1);
  if (lines === '') throw new MalformedError('a note is signed');
  return { text: all.slice(0, end + 1), signatures: lines.split('\n').map(parseSignature) };
};

const noteText = (note: string | Uint8Array): string => {
  if (typeof note !== 'string' && !isBytes(note)) throw new MalformedError('a note is text or bytes');
  if (note.length > MAXIMUM_BYTES) throw new MalformedError('a note is not that long');
  if (typeof note === 'string') return note;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    throw new MalformedError('a note is UTF-8');
  }
};

const parseSignature = (line: string): NoteSignature => {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw new MalformedError('not a signature line');
  const bytes = fromBase64(encoded);
  if (bytes.length <= KEY_ID_BYTES) throw new MalformedError('a signature is longer than a key id');
  return { name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) };
};

/** The note that these signatures make of the text. */
export const formatNote = ({ text, signatures }: SignedNote): string => {
  const lines = signatures.map(
    ({ name, keyId, signature }) => `— ${name} ${toBase64(concatBytes(keyId, signature))}\n`,
  );
  return `${text}\n${lines.join('')}`;
};

/** Signatures that claim to be of `key`: name and id match. */
export const signaturesOf = ({ signatures }: SignedNote, key: NoteKey): NoteSignature[] => {
  const id = noteKeyId(key);
  return signatures.filter(({ name, keyId }) => name === key.name && equalBytes(keyId, id));
};
