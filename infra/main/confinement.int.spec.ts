import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeFlags, projectorFlags } from './confinement.ts';
import { type LocalHome, prepareHome } from './local-home.ts';
import { prepareNodes } from './local-nodes.ts';

let directory: string;
let home: LocalHome;
let folders: string[];
/** Every file with a secret in it. */
let secrets: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'aivillage-confinement-'));
  home = await prepareHome(directory);
  const nodes = await prepareNodes(home);
  folders = nodes.map(({ profile }) => home.path('nodes', profile.name));
  await writeFile(home.path('credentials.json'), '{}');
  const keys = (await readdir(home.path('keys'))).map((name) => home.path('keys', name));
  const nodeKeys = folders.flatMap((folder) => [join(folder, 'node.key'), join(folder, 'chip', 'vcek.key')]);
  secrets = [...keys, ...nodeKeys, home.path('tee', 'root', 'ask.key'), home.path('credentials.json')];
  for (const file of secrets) expect(existsSync(file), file).toBe(true);
});
afterAll(() => rm(directory, { recursive: true }));

const programsOf = (from: string): string | null => (from === 'one file' ? import.meta.dirname : null);

const LOOK = `
  const { readFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const can = (what) => { try { what(); return true; } catch (error) { if (error.code !== 'ERR_ACCESS_DENIED') throw error; return false; } };
  const files = JSON.parse(process.argv[1]);
  console.log(JSON.stringify({
    read: files.filter((file) => can(() => readFileSync(file))),
    written: files.filter((file) => can(() => writeFileSync(file, '', { flag: 'a' }))),
    starts: process.permission.has('child'),
  }));
`;

/** What a process with these flags can do to the secrets. */
const reachOf = (flags: readonly string[]) => {
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', LOOK, JSON.stringify(secrets)], {
    env: {},
  });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString()) as { read: string[]; written: string[]; starts: boolean };
};

test.each(['its sources', 'one file'])(
  'a projector from %s reads the two keys that it signs with, and the password of its database',
  (from) => {
    const own = ['checkpoint.key', 'anchor.key', 'postgres.password'].map((name) => home.path('keys', name));
    const { read, written, starts } = reachOf(projectorFlags(home.home, programsOf(from)));
    expect(read.toSorted()).toEqual(own.toSorted());
    expect(written).toEqual([]);
    expect(starts).toBe(false);
  },
);

test.each(['its sources', 'one file'])(
  'a node from %s reaches its own key and chip, and nobody else’s',
  (from) => {
    for (const folder of folders) {
      const own = [join(folder, 'node.key'), join(folder, 'chip', 'vcek.key')];
      const { read, written } = reachOf(nodeFlags(folder, programsOf(from)));
      expect(read).toEqual(own);
      expect(written).toEqual(own);
    }
  },
);
