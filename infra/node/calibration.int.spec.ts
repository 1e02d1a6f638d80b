import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mostRunsFor } from '../../domain/mesh/fuel-rate.ts';
import { instrument } from '../../domain/metering/instrument.ts';
import { instant } from '../../domain/time.ts';
import { assemble } from '../../test/workloads/assemble.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { createEnclaveHost, type EnclaveHost } from '../sandbox/index.ts';
import { KNOWN_WORK } from '../sandbox/known-work-module.ts';
import { calibrate } from './calibration.ts';

let host: EnclaveHost;
beforeAll(() => {
  host = createEnclaveHost({ platform: simulatedMachine(instant(Date.now())).platform, maximumEnclaves: 1 });
});
afterAll(() => host.close());

const file = (name: string) => readFile(new URL(`../workloads/${name}`, import.meta.url));

it('runs the committed text, assembled byte for byte', async () => {
  const text = await file('calibration.wat');
  const wasm = await file('calibration.wasm');
  expect(Buffer.from(await assemble('calibration.wat', text.toString('utf8')))).toEqual(wasm);
});

it('probes with the same text, instrumented', async () => {
  const made = instrument(await file('calibration.wasm'));
  if (!made.ok) throw new Error(made.message);
  expect(Buffer.from(KNOWN_WORK, 'base64').equals(made.value.bytes)).toBe(true);
});

it('settled 44: measures this machine in an enclave, of which nothing is left', {
  timeout: 150_000,
}, async () => {
  const alone = await calibrate(host);
  expect(host.live()).toEqual([]);
  expect(alone.cores).toBe(availableParallelism());
  // Between a machine of the nineties and one that has yet to be built.
  expect(alone.perSecond).toBeGreaterThan(1e6);
  expect(alone.perSecond).toBeLessThan(1e12);
  expect(alone.startSeconds).toBeGreaterThan(0);
  const most = { requiredTops: 1_000_000, utilization: 1, durationSeconds: 60 };
  expect(mostRunsFor(alone, most)).toBe(0);
  expect(mostRunsFor(alone, { ...most, requiredTops: 0.5 })).toBeGreaterThan(0);
});

it('does not count a machine whose sandbox is full', async () => {
  const code = await file('word-count.wasm');
  const enclaveId = `enclave-${'1'.repeat(26)}`;
  const config = { memoryMb: 64, cpuCores: 1, allowDebug: false } as const;
  const codeHash = createHash('sha256').update(code).digest('hex');
  const other = await host.create({ enclaveId, code, codeHash, config });
  await expect(calibrate(host)).rejects.toThrow('at most 1 enclaves');
  if (other.ok) await other.value.destroy();
});
