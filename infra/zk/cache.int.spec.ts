import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCache } from './cache.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'aivillage-cache-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A process that makes the entry `key`: says `making`, makes half of it, and the rest when it is told to. */
const PROGRAM = `
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { createCache } from '${new URL('./cache.ts', import.meta.url).href}';
const [root, name] = process.argv.slice(1);
console.log('started');
const { facts } = await createCache(root).get('key', ['file'], async (directory) => {
  await writeFile(join(directory, 'file'), 'half');
  console.log('making');
  await once(process.stdin, 'data');
  await writeFile(join(directory, 'file'), 'whole by ' + name);
  return { by: name };
});
console.log('made by ' + facts.by);
process.exit();
`;

const startMaker = (name: string) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, root, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    next: async (): Promise<string | undefined> => (await lines.next()).value,
    finish: () => child.stdin.end('go'),
    kill: async (): Promise<void> => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
};

const entryBy = async (name: string): Promise<void> => {
  expect(await readdir(root)).toEqual(['key']);
  expect(await readFile(join(root, 'key', 'file'), 'utf8')).toBe(`whole by ${name}`);
  expect(await createCache(root).find('key')).toMatchObject({ facts: { by: name } });
};

describe('R51: one entry, made once, by whichever process', () => {
  test('a second process waits for the first and takes what it made', async () => {
    const first = startMaker('first');
    expect([await first.next(), await first.next()]).toEqual(['started', 'making']);
    const second = startMaker('second');
    expect(await second.next()).toBe('started');
    await expect.poll(() => readdir(root)).toHaveLength(2);
    first.finish();
    expect(await first.next()).toBe('made by first');
    expect(await second.next()).toBe('made by first');
    await entryBy('first');
  });

  test('killed -9 in the middle, it leaves no entry, and the one who waits makes it and clears up', async () => {
    const first = startMaker('first');
    expect([await first.next(), await first.next()]).toEqual(['started', 'making']);
    const second = startMaker('second');
    expect(await second.next()).toBe('started');
    await expect.poll(() => readdir(root)).toHaveLength(2);
    await first.kill();
    expect(await second.next()).toBe('making');
    expect(await createCache(root).find('key')).toBeNull();
    second.finish();
    expect(await second.next()).toBe('made by second');
    await entryBy('second');
  });

  test('what stands of another host, or is no part of the queue, is left alone', async () => {
    const foreign = '.key~0000000000001~another-host~1~1~00';
    await Promise.all([foreign, '.hidden', '.key~1'].map((name) => mkdir(join(root, name))));
    const make = async (directory: string): Promise<string> => {
      await writeFile(join(directory, 'file'), '');
      return 'made';
    };
    expect(await createCache(root).get('key', ['file'], make)).toMatchObject({ facts: 'made' });
    expect(await readdir(root)).toEqual(['.hidden', '.key~1', foreign, 'key'].toSorted());
  });

  test('a manifest that is no JSON counts as damaged, and the entry is made anew', async () => {
    await mkdir(join(root, 'key'));
    await writeFile(join(root, 'key', 'manifest.json'), '{"files":');
    const cache = createCache(root);
    expect(await cache.find('key')).toBeNull();
    const make = async (): Promise<string> => 'made';
    expect(await cache.get('key', [], make)).toMatchObject({ facts: 'made' });
  });
});
