import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import { instrument } from '../../domain/metering/instrument.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { assembleTestModule } from '../../test/workloads/assemble.ts';
import { createSigner } from '../keys/signer.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createInspection } from '../sandbox/inspection.ts';
import { createMeteredModules, isMeteringSigned } from './metered-modules.ts';
import { createMeteringOf } from './metering-of.ts';
import { createPostgresArtifacts } from './postgres.ts';

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let database: TestDatabase;
let pool: Pool;
const signer = createSigner([new Uint8Array(32).fill(3)]);

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  pool = createPool(database.url, { name: 'test', max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const store = async (bytes: Uint8Array): Promise<string> => {
  const artifacts = createPostgresArtifacts({ pool, signer, now: () => '2026-01-01T00:00:00.000Z' });
  return (await artifacts.put(bytes, 'subject-a', 'application/wasm')).sha256;
};

describe('the metering of a module', () => {
  it('is worked out once, recorded and countersigned', async () => {
    const module = await assembleTestModule('exit-3');
    const sha256 = await store(module);
    const modules = createMeteredModules({ pool, signer });
    let inspections = 0;
    const inspect = createInspection();
    const meteringOf = createMeteringOf(modules, (wasm) => {
      inspections += 1;
      return inspect(wasm);
    });
    expect(await modules.find(sha256, METERING_VERSION)).toBeNull();
    const metered = instrument(module);
    if (!metered.ok) throw new Error(metered.message);
    const metering = { version: METERING_VERSION, moduleHash: sha256Of(metered.value.bytes) };
    const first = await meteringOf(sha256, module);
    expect(first).toMatchObject({ ok: true, value: { sha256, metering } });
    expect(await meteringOf(sha256, module)).toEqual(first);
    expect(inspections).toBe(1);
    if (!first.ok) throw new Error(first.message);
    expect(isMeteringSigned(signer, first.value)).toBe(true);
    const forged = { ...metering, moduleHash: '00'.repeat(32) };
    expect(isMeteringSigned(signer, { ...first.value, metering: forged })).toBe(false);
    // The first record stays.
    expect(await modules.record(sha256, forged)).toEqual(first.value);
  });

  it('is refused for what is no module, with each rule, and others are inspected after it', async () => {
    const inspect = createInspection();
    const answers = await Promise.all([
      inspect(new TextEncoder().encode('no module')),
      inspect(await assembleTestModule('exit-3')),
    ]);
    expect(answers).toMatchObject([{ ok: false, errors: [{ field: 'module' }] }, { ok: true }]);
  });
});
