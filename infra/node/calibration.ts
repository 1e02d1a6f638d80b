import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type FuelRate, fuelRateOf, type MeasuredRun } from '../../domain/mesh/fuel-rate.ts';
import { newUlid } from '../ids/new-id.ts';
import type { Enclave } from '../sandbox/enclave.ts';
import type { EnclaveHost } from '../sandbox/index.ts';

const MODULE = new URL('../workloads/calibration.wasm', import.meta.url);
const CONFIG = { memoryMb: 2, cpuCores: 1, allowDebug: false } as const;
const RUNS = 2;
/** Fuel of a run: long enough that its time is not that of its beginning. The next one is for who cannot do it in time. */
const FUEL = [200_000_000, 20_000_000];
const RUN_SECONDS = 15;
const NO_INPUT = new Uint8Array(0);

/** A run of so much fuel as the enclave signs it. @throws where it came to no end, or to another one. */
const measuredRun = async (enclave: Enclave, fuel: number): Promise<MeasuredRun> => {
  const work = {
    args: [],
    inputHash: createHash('sha256').update(NO_INPUT).digest('hex'),
    // A new order each time, since the same one again is answered like the first.
    randomSeed: randomBytes(32).toString('hex'),
    clockStart: '2026-01-01T00:00:00.000Z',
    timeLimitSeconds: RUN_SECONDS,
    fuelLimit: fuel,
  };
  const startedAt = performance.now();
  const run = await enclave.run({ jobId: null, providerId: 'calibration', work }, NO_INPUT);
  const tookMs = performance.now() - startedAt;
  if (!run.ok) throw new Error(run.message);
  const { outcome, resources } = run.value.proof.record;
  if (outcome !== 'fuel_limit') throw new Error(`the calibration module ended by ${outcome}`);
  const { cpuMs, wallMs } = resources;
  return { fuel, cpuMs, startMs: Math.max(0, tookMs - wallMs) };
};

const measuredRuns = async (enclave: Enclave): Promise<MeasuredRun[]> => {
  let failure: unknown;
  for (const fuel of FUEL) {
    const runs: MeasuredRun[] = [];
    try {
      while (runs.length < RUNS) runs.push(await measuredRun(enclave, fuel));
      return runs;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
};

/**
 * Measures this machine on the way that a job takes: an enclave of `host`, attested, runs an instrumented module a few
 * times, for a minute at most. It takes no place of the capacity book, but one of `host`.
 * @throws where the sandbox does not run it
 */
export const calibrate = async (host: EnclaveHost): Promise<FuelRate> => {
  const code = await readFile(MODULE);
  const codeHash = createHash('sha256').update(code).digest('hex');
  const created = await host.create({ enclaveId: `enclave-${newUlid()}`, code, codeHash, config: CONFIG });
  if (!created.ok) throw new Error(created.message);
  const enclave = created.value;
  try {
    const attested = await enclave.attest(randomBytes(32).toString('hex'));
    if (!attested.ok) throw new Error(attested.message);
    return fuelRateOf(await measuredRuns(enclave), availableParallelism());
  } finally {
    await enclave.destroy();
  }
};
