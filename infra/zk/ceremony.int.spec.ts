import { mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPredicate } from '../../domain/predicate/predicate.ts';
import { STANDARD_SCHEMA } from '../../domain/predicate/standard-schema.ts';
import { createCeremony } from './ceremony.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import { createCircuits } from './circuits.ts';
import { findToolchain } from './toolchain.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aivillage-ceremony-'));
});
afterAll(() => rm(root, { recursive: true }));

const BEACON = '5e'.repeat(32);

test('R50: two parties and a beacon make a key that the engine takes over', {
  timeout: 900_000,
}, async () => {
  const toolchain = await findToolchain();
  const circuits = createCircuits({ directory: join(root, 'cache'), toolchain });
  const folder = join(root, 'ceremony');
  const ceremony = createCeremony({ folder, toolchain, circuits });
  const read = readPredicate('age >= 18', STANDARD_SCHEMA);
  if (!read.ok) throw new Error(read.message);
  const { shape } = read.value;

  expect(await ceremony.contribute('anna')).toMatchObject({ ok: false, code: 'RESOURCE_NOT_FOUND' });
  const started = await ceremony.start(shape, 'anna');
  const before = await readFile(join(folder, 'ceremony.json'));
  const contributed = await ceremony.contribute('ben');
  if (!started.ok || !contributed.ok) throw new Error('the ceremony was refused');
  expect(contributed.value).toEqual([...started.value, expect.stringMatching(/^[0-9a-f]{128}$/)]);

  for (const name of ['', 'be\0n', 'be\u202en', 'x'.repeat(101)])
    expect(await ceremony.contribute(name)).toMatchObject({ ok: false, errors: [{ field: 'name' }] });
  const honest = await readFile(join(folder, 'ceremony.json'), 'utf8');
  await writeFile(join(folder, 'ceremony.json'), honest.replace('"anna"', '"an\\u0000na"'));
  expect(await ceremony.contribute('carl')).toMatchObject({ ok: false, code: 'INVALID_REQUEST' });
  await writeFile(join(folder, 'ceremony.json'), honest);

  const file = await open(join(folder, CIRCUIT_FILES.zkey), 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 100_000);
  await file.write(Buffer.from([(byte[0] as number) ^ 1]), 0, 1, 100_000);
  expect(await ceremony.contribute('carl')).toMatchObject({ ok: false, code: 'CONFLICT' });
  await file.write(byte, 0, 1, 100_000);
  await file.close();

  // Ben's machine stopped between his key and its record.
  await rename(join(folder, 'ceremony.json'), join(folder, 'ceremony.next.json'));
  await writeFile(join(folder, 'ceremony.json'), before);

  expect(await ceremony.finish('soon')).toMatchObject({ ok: false, errors: [{ field: 'beacon' }] });
  const finished = await ceremony.finish(BEACON);
  if (!finished.ok) throw new Error(finished.message);
  expect(finished.value.facts.transcript).toMatchObject({
    setup: 'ceremony-on-development-powers-of-tau',
    beacon: BEACON,
    verified: true,
    contributions: [{ name: 'anna' }, { name: 'ben' }, { name: 'beacon' }],
  });
  expect(await ceremony.finish(BEACON)).toEqual(finished);
  expect(await ceremony.finish('5f'.repeat(32))).toMatchObject({ ok: false, code: 'CONFLICT' });
  expect(await ceremony.contribute('carl')).toMatchObject({ ok: false, code: 'CONFLICT' });

  // The engine finds it instead of making its own, and nobody replaces it later.
  const steps: string[] = [];
  const key = await circuits.setUp(shape, (step) => steps.push(step));
  expect(steps).toEqual([]);
  expect(key.facts.transcript).toEqual(finished.value.facts.transcript);
  expect(await ceremony.start(shape, 'mallory')).toMatchObject({ ok: false, code: 'CONFLICT' });
});
