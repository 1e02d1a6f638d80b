import { ed25519 } from '@noble/curves/ed25519.js';
import { isBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { HASH_BYTES } from '../../domain/merkle.ts';
import { fromBase64, toBase64 } from './bytes.ts';
import { MalformedError } from './der.ts';
import { isKeyName, type NoteKey, parseNote, parseNoteKey, type SignedNote, signaturesOf } from './note.ts';
import { u64 } from './u64.ts';

/** A tree head as it stands in a checkpoint (c2sp.org/tlog-checkpoint). */
export interface TreeHead {
  /** Identity of the log. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface CheckpointInput {
  /** The signed note. */
  readonly checkpoint: string | Uint8Array;
  /** The log's Ed25519 key: 32 bytes, or text in the form `name+id+base64`. */
  readonly publicKey: Uint8Array | string;
  /** Name of the key where it is given as bytes; by default the origin. */
  readonly name?: string;
  /** The log that is expected; any when absent. */
  readonly origin?: string;
}

export type CheckpointCode =
  | 'MALFORMED'
  | 'BAD_KEY'
  | 'ORIGIN_MISMATCH'
  /** No signature claims to be of the key. */
  | 'UNKNOWN_SIGNER'
  | 'BAD_SIGNATURE';

export type CheckpointVerdict =
  | ({ readonly valid: true } & TreeHead)
  | { readonly valid: false; readonly code: CheckpointCode };

const SIZE = /^(?:0|[1-9]\d{0,19})$/;

/** The text that a checkpoint signs. */
export const checkpointText = ({ origin, size, root }: TreeHead): string =>
  `${origin}\n${size}\n${toBase64(root)}\n`;

/** Reads the text of a checkpoint; extension lines are allowed and left alone. @throws MalformedError */
export const parseCheckpointText = (text: string): TreeHead => {
  const [origin, size, root, ...extensions] = text.split('\n').slice(0, -1);
  if (!origin || size === undefined || root === undefined || extensions.includes(''))
    throw new MalformedError('a checkpoint has an origin, a size and a root');
  const leaves = SIZE.test(size) ? u64(BigInt(size)) : null;
  if (leaves === null) throw new MalformedError('the size is not a decimal u64');
  const hash = fromBase64(root);
  if (hash.length !== HASH_BYTES) throw new MalformedError('the root has 32 bytes');
  return { origin, size: leaves, root: hash };
};

/**
 * Verifies a checkpoint under the key of its log. Signatures of other keys are ignored; every one that claims to be of
 * this key must hold, and there must be one. Never throws on foreign input.
 */
export const verifyCheckpoint = (input: CheckpointInput): CheckpointVerdict => {
  const parsed = parsedOrNull(() => {
    const note = parseNote(input?.checkpoint);
    return { note, head: parseCheckpointText(note.text) };
  });
  if (parsed === null) return refused('MALFORMED');
  const { note, head } = parsed;
  const key = keyOf(input, head);
  if (key === null) return refused('BAD_KEY');
  if (input.origin !== undefined && input.origin !== head.origin) return refused('ORIGIN_MISMATCH');
  const claimed = signaturesOf(note, key);
  if (claimed.length === 0) return refused('UNKNOWN_SIGNER');
  return claimed.every(({ signature }) => signatureHolds(note, signature, key))
    ? { valid: true, ...head }
    : refused('BAD_SIGNATURE');
};

const refused = (code: CheckpointCode): CheckpointVerdict => ({ valid: false, code });

const keyOf = ({ publicKey, name, origin }: CheckpointInput, head: TreeHead): NoteKey | null => {
  if (typeof publicKey === 'string') return parsedOrNull(() => parseNoteKey(publicKey));
  const keyName = name ?? origin ?? head.origin;
  return isBytes(publicKey) && publicKey.length === 32 && isKeyName(keyName)
    ? { name: keyName, publicKey }
    : null;
};

const signatureHolds = ({ text }: SignedNote, signature: Uint8Array, { publicKey }: NoteKey): boolean =>
  signature.length === 64 &&
  // RFC 8032 rules rather than ZIP 215: no second encoding of a key or a point.
  ed25519.verify(signature, utf8ToBytes(text), publicKey, { zip215: false });

const parsedOrNull = <T>(parse: () => T): T | null => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
};
