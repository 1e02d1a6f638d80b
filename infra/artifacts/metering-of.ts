import { ok, type Result } from '../../domain/errors.ts';
import { METERING_VERSION } from '../../domain/metering/costs.ts';
import type { MeteredModule, MeteredModules } from '../../domain/ports/metered-modules.ts';
import type { Inspection } from '../sandbox/inspection.ts';

/** The record of a stored module's metered form, made where there is none yet: of modules from before this version. */
export type MeteringOf = (sha256: string, wasm: Uint8Array) => Promise<Result<MeteredModule>>;

export const createMeteringOf =
  (modules: MeteredModules, inspect: Inspection): MeteringOf =>
  async (sha256, wasm) => {
    const known = await modules.find(sha256, METERING_VERSION);
    if (known) return ok(known);
    const inspected = await inspect(wasm);
    return inspected.ok ? ok(await modules.record(sha256, inspected.value)) : inspected;
  };
