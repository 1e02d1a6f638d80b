import { sign } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { ed25519Key } from '../keys/ed25519.ts';
import { checkpointText, type TreeHead } from '../verify/checkpoint.ts';
import { formatNote, formatNoteKey, noteKeyId } from '../verify/note.ts';

/** Signs tree heads of one log. */
export interface CheckpointSigner {
  readonly origin: string;
  /** Key under which the checkpoints verify: name+id+base64. */
  readonly publicKey: string;
  /** The signed note. */
  sign(head: Omit<TreeHead, 'origin'>): string;
}

/** A name that no other log has, though nobody has given it one: it derives from the first key. */
const originOf = (firstKey: Uint8Array): string =>
  `aivillage/log-${bytesToHex(sha256(firstKey)).slice(0, 16)}`;

/**
 * @param seeds Ed25519 seeds, newest first. All of them sign, so that who knows only an older key still verifies; a
 * rotation puts a new one in front and keeps the old ones.
 */
export const createCheckpointSigner = (seeds: readonly Uint8Array[]): CheckpointSigner => {
  const keys = seeds.map((seed) => {
    const { privateKey, x } = ed25519Key(seed);
    return { privateKey, publicKey: new Uint8Array(Buffer.from(x, 'base64url')) };
  });
  const [newest, oldest] = [keys[0], keys.at(-1)];
  if (!newest || !oldest) throw new RangeError('the log needs a key');
  const name = originOf(oldest.publicKey);
  return {
    origin: name,
    publicKey: formatNoteKey({ name, publicKey: newest.publicKey }),
    sign: (head) => {
      const text = checkpointText({ origin: name, ...head });
      const signatures = keys.map(({ privateKey, publicKey }) => ({
        name,
        keyId: noteKeyId({ name, publicKey }),
        signature: new Uint8Array(sign(null, utf8ToBytes(text), privateKey)),
      }));
      return formatNote({ text, signatures });
    },
  };
};
