import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKeptArtifacts, type KeptArtifacts } from './kept-artifacts.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const filled = (byte: number, size = 100): Uint8Array => new Uint8Array(size).fill(byte);

let parent: string;
let directory: string;
let errors: unknown[];
let kept: KeptArtifacts;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'aivillage-kept-'));
  directory = join(parent, 'artifacts');
  errors = [];
  kept = createKeptArtifacts({ directory, maxBytes: 250, onError: (error) => errors.push(error) });
});
afterEach(() => rm(parent, { recursive: true }));

const keep = (bytes: Uint8Array): Promise<void> => kept.keep(sha256(bytes), bytes);
/** Makes the file of `bytes` that many seconds old. */
const age = (bytes: Uint8Array, seconds: number): Promise<void> => {
  const at = new Date(Date.now() - seconds * 1000);
  return utimes(join(directory, sha256(bytes)), at, at);
};

it('gives back what it keeps, also to a node that has restarted', async () => {
  expect(await kept.read(sha256(filled(1)))).toBeNull();
  await keep(filled(1));
  const again = createKeptArtifacts({ directory, maxBytes: 250, onError: (error) => errors.push(error) });
  expect(new Uint8Array((await again.read(sha256(filled(1)))) ?? [])).toEqual(filled(1));
});

it('makes room at the expense of what was kept longest ago', async () => {
  const [first, second, third] = [filled(1), filled(2), filled(3)];
  await keep(first);
  await age(first, 30);
  await keep(second);
  await age(second, 20);
  // Kept again, so the second is now the oldest.
  await keep(first);
  await keep(third);
  expect((await readdir(directory)).sort()).toEqual([sha256(first), sha256(third)].sort());
  await keep(filled(4, 251));
  expect(await readdir(directory)).toHaveLength(2);
});

it('keeps several at once without losing one', async () => {
  await Promise.all([keep(filled(1)), keep(filled(2)), keep(filled(1))]);
  expect((await readdir(directory)).sort()).toEqual([sha256(filled(1)), sha256(filled(2))].sort());
  expect(errors).toEqual([]);
});

it('passes no other bytes off as those it was asked for', async () => {
  await keep(filled(1));
  await writeFile(join(directory, sha256(filled(1))), filled(2));
  expect(await kept.read(sha256(filled(1)))).toBeNull();
});

it('tells of a disk that fails, and goes on', async () => {
  await writeFile(directory, 'in the way');
  await keep(filled(1));
  expect(errors).toHaveLength(1);
  await rm(directory);
  await keep(filled(1));
  expect(await kept.read(sha256(filled(1)))).not.toBeNull();
});
