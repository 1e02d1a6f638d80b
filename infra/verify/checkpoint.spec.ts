import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../../domain/merkle.ts';
import { checkpointText } from './checkpoint.ts';
import { type CheckpointInput, verifyCheckpoint } from './index.ts';
import { formatNote, formatNoteKey, type NoteKey, noteKeyId, parseNote, parseNoteKey } from './note.ts';

const ORIGIN = 'example.org/log';
const SEED = new Uint8Array(32).fill(7);
const KEY: NoteKey = { name: ORIGIN, publicKey: ed25519.getPublicKey(SEED) };
const HEAD = { origin: ORIGIN, size: 42n, root: leafHash(Uint8Array.of(1)) };

const sign = (text: string, key = KEY, seed = SEED) => ({
  name: key.name,
  keyId: noteKeyId(key),
  signature: ed25519.sign(utf8ToBytes(text), seed),
});
const signed = (text = checkpointText(HEAD)): string => formatNote({ text, signatures: [sign(text)] });
const codeOf = (change: Partial<CheckpointInput>): string => {
  const verdict = verifyCheckpoint({ checkpoint: signed(), publicKey: KEY.publicKey, ...change });
  return verdict.valid ? 'VALID' : verdict.code;
};

describe('verifyCheckpoint', () => {
  it('gives the tree head that the key signed', () => {
    const valid = { valid: true, ...HEAD };
    const checkpoint = signed();
    expect(verifyCheckpoint({ checkpoint, publicKey: KEY.publicKey })).toEqual(valid);
    expect(verifyCheckpoint({ checkpoint: utf8ToBytes(checkpoint), publicKey: formatNoteKey(KEY) })).toEqual(
      valid,
    );
    expect(codeOf({ origin: ORIGIN })).toBe('VALID');
    expect(codeOf({ origin: 'example.org/other' })).toBe('ORIGIN_MISMATCH');
  });

  it('reads the checkpoint that the specification prints', () => {
    // c2sp.org/tlog-checkpoint prints no key: only the form can be held against it.
    const note =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
    expect(codeOf({ checkpoint: note })).toBe('UNKNOWN_SIGNER');
    expect(formatNote(parseNote(note))).toBe(note);
  });

  it('ignores signatures of other keys and refuses a false one of this key, even beside a true one', () => {
    const text = checkpointText(HEAD);
    const otherSeed = new Uint8Array(32).fill(8);
    const other = { name: 'witness.example', publicKey: ed25519.getPublicKey(otherSeed) };
    const witness = sign(text, other, otherSeed);
    const forged = { ...sign(text), signature: new Uint8Array(64) };
    const note = (...signatures: ReturnType<typeof sign>[]) => formatNote({ text, signatures });
    expect(codeOf({ checkpoint: note(witness, sign(text)) })).toBe('VALID');
    expect(codeOf({ checkpoint: note(witness) })).toBe('UNKNOWN_SIGNER');
    expect(codeOf({ checkpoint: note(sign(text), forged) })).toBe('BAD_SIGNATURE');
    expect(codeOf({ checkpoint: note({ ...sign(text), signature: new Uint8Array(63) }) })).toBe(
      'BAD_SIGNATURE',
    );
    expect(codeOf({ publicKey: other.publicKey })).toBe('UNKNOWN_SIGNER');
    expect(codeOf({ checkpoint: note(witness), publicKey: other.publicKey, name: other.name })).toBe('VALID');
  });

  it('refuses a text that is not exactly a checkpoint', () => {
    const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
    const texts = [
      `${ORIGIN}\n42\n`,
      `\n42\n${root}\n`,
      `${ORIGIN}\n042\n${root}\n`,
      `${ORIGIN}\n-1\n${root}\n`,
      `${ORIGIN}\n${2n ** 64n}\n${root}\n`,
      `${ORIGIN}\n42 \n${root}\n`,
      `${ORIGIN}\n42\n${root.slice(0, -1)}\n`,
      `${ORIGIN}\n42\n${root.replace('2I=', '2J=')}\n`,
      `${ORIGIN}\n42\nAAAA\n`,
      `${ORIGIN}\n42\n${root}\n\nextension\n`,
      `${ORIGIN}\r\n42\n${root}\n`,
    ];
    for (const text of texts)
      expect([text, codeOf({ checkpoint: signed(text) })]).toEqual([text, 'MALFORMED']);
    expect(codeOf({ checkpoint: signed(`${ORIGIN}\n${2n ** 64n - 1n}\n${root}\nextension\n`) })).toBe(
      'VALID',
    );
  });

  it('is refused after a flip of any bit, and at every shorter length', () => {
    const note = utf8ToBytes(signed());
    for (let at = 0; at < note.length; at++)
      for (const mask of [1, 0x80]) {
        const flipped = note.map((byte, index) => (index === at ? byte ^ mask : byte));
        expect(codeOf({ checkpoint: flipped, origin: ORIGIN })).not.toBe('VALID');
      }
    for (let length = 0; length < note.length; length++)
      expect(codeOf({ checkpoint: note.subarray(0, length) })).toBe('MALFORMED');
    expect(codeOf({ checkpoint: new Uint8Array(1_000_000).fill(0x61) })).toBe('MALFORMED');
  });

  it('refuses a key that is none', () => {
    const text = formatNoteKey(KEY);
    expect(parseNoteKey(text)).toEqual(KEY);
    for (const publicKey of [
      '',
      'x',
      text.slice(1),
      `${text}A`,
      text.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    ])
      expect(codeOf({ publicKey })).toBe('BAD_KEY');
    for (const length of [0, 31, 33]) expect(codeOf({ publicKey: new Uint8Array(length) })).toBe('BAD_KEY');
    // The identity, a point of order 1, would accept signatures that nobody made.
    const identity = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));
    const text2 = checkpointText(HEAD);
    const key = { name: ORIGIN, publicKey: identity };
    const signature = Uint8Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0));
    const checkpoint = formatNote({
      text: text2,
      signatures: [{ name: ORIGIN, keyId: noteKeyId(key), signature }],
    });
    expect(codeOf({ checkpoint, publicKey: identity })).toBe('BAD_SIGNATURE');
  });

  it('survives any bytes and any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((each) => `${signed()}${each}\n`),
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), text), (checkpoint) => {
        fc.pre(checkpoint !== signed());
        expect(codeOf({ checkpoint })).not.toBe('VALID');
      }),
    );
  });
});
