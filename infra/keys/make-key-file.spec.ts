import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readOrMakeKeyFile } from './make-key-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-key-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a missing key is made once, private, and the same for all who ask at once', async () => {
  const file = join(directory, 'peer.key');
  const asked = await Promise.all(Array.from({ length: 8 }, () => readOrMakeKeyFile(file)));
  const [[first] = []] = asked;
  expect(first).toHaveLength(32);
  expect(asked.every((keys) => Buffer.compare(keys[0] as Uint8Array, first as Uint8Array) === 0)).toBe(true);
  expect(await readOrMakeKeyFile(file)).toEqual([first]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['peer.key']);
});
