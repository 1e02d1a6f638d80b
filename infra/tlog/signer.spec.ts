import { expect, it } from 'vitest';
import { leafHash } from '../../domain/merkle.ts';
import { verifyCheckpoint } from '../verify/index.ts';
import { createCheckpointSigner } from './signer.ts';

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const HEAD = { size: 7n, root: leafHash(Uint8Array.of(7)) };

it('a rotated key keeps the log its name, and every known key verifies its checkpoints', () => {
  const before = createCheckpointSigner([seed(1)]);
  const after = createCheckpointSigner([seed(2), seed(1)]);
  expect(after.origin).toBe(before.origin);
  expect(after.publicKey).not.toBe(before.publicKey);
  const checkpoint = after.sign(HEAD);
  for (const { publicKey, origin } of [before, after])
    expect(verifyCheckpoint({ checkpoint, publicKey, origin })).toEqual({ valid: true, origin, ...HEAD });
  const retired = createCheckpointSigner([seed(2)]);
  expect(retired.origin).not.toBe(before.origin);
  expect(verifyCheckpoint({ checkpoint: before.sign(HEAD), publicKey: after.publicKey })).toEqual({
    valid: false,
    code: 'UNKNOWN_SIGNER',
  });
});

it('the log has a name of its own by its key, and no key no name', () => {
  expect(createCheckpointSigner([seed(1)]).origin).toMatch(/^aivillage\/log-[0-9a-f]{16}$/);
  expect(createCheckpointSigner([seed(3)]).origin).not.toBe(createCheckpointSigner([seed(1)]).origin);
  expect(() => createCheckpointSigner([])).toThrow(RangeError);
});
