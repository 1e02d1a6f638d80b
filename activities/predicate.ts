import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Artifacts } from '../domain/ports/artifacts.ts';
import type { PredicateEvent } from '../domain/predicate/events.ts';
import type { PredicateCircuit } from '../domain/predicate/machine.ts';
import { CIRCUIT_FILES } from '../infra/zk/circuit-files.ts';
import type { Circuits } from '../infra/zk/circuits.ts';
import { NoToolchainError } from '../infra/zk/toolchain.ts';

export interface PredicateDeps {
  /** Opened when first needed: an engine without the optional packages runs, and says so when asked for a circuit. */
  readonly circuits: () => Promise<Circuits>;
  readonly artifacts: Pick<Artifacts, 'put'>;
  readonly now: () => string;
}

interface Input {
  readonly circuit: PredicateCircuit;
}

/** How often Temporal is told that a long step still runs, ms. */
const PULSE_MS = 5_000;

/** Owner of the files that everybody may fetch to prove. */
const OWNER = 'engine';

/** Tells Temporal the step at hand, so that it shows in its console and a lost worker is noticed. */
const reporting = async <T>(work: (onProgress: (step: string) => void) => Promise<T>): Promise<T> => {
  const context = Context.current();
  let step = 'waiting';
  const pulse = setInterval(() => context.heartbeat(step), PULSE_MS);
  try {
    const working = work((next) => {
      step = next;
      context.heartbeat(step);
    });
    // A worker that stops does not wait: its tool process ends with it, and what was not finished is begun anew.
    return await Promise.race([working, context.cancelled]);
  } finally {
    clearInterval(pulse);
  }
};

const shapeOf = ({ circuitId, shape }: PredicateCircuit) => {
  if (!shape) throw new Error(`${circuitId} has no shape`);
  return shape;
};

/** Without the tools every attempt ends alike: a fact, not something to try again. */
const unlessUnavailable = async (work: () => Promise<PredicateEvent>): Promise<PredicateEvent[]> => {
  try {
    return [await work()];
  } catch (error) {
    if (!(error instanceof NoToolchainError)) throw error;
    return [{ type: 'predicate.failed', code: 'RESOURCE_UNAVAILABLE', message: error.message }];
  }
};

/** Effects of a circuit: compiler and set-up, each in a process of its own, found again when they were done before. */
export const createPredicateActivities = ({ circuits, artifacts, now }: PredicateDeps) => ({
  'predicate.compile': ({ circuit }: Input): Promise<PredicateEvent[]> =>
    unlessUnavailable(() =>
      reporting(async (onProgress) => {
        const { files, facts } = await (await circuits()).compile(shapeOf(circuit), onProgress);
        return {
          type: 'predicate.compiled',
          r1csHash: files[CIRCUIT_FILES.r1cs] as string,
          wasmHash: files[CIRCUIT_FILES.wasm] as string,
          ...facts,
          compiledAt: now(),
        };
      }),
    ),

  'predicate.setUp': ({ circuit }: Input): Promise<PredicateEvent[]> =>
    unlessUnavailable(() =>
      reporting(async (onProgress) => {
        const { directory, facts } = await (await circuits()).setUp(shapeOf(circuit), onProgress);
        onProgress('publishing');
        for (const name of [CIRCUIT_FILES.wasm, CIRCUIT_FILES.zkey]) {
          await artifacts.put(await readFile(join(directory, name)), OWNER, 'application/octet-stream');
        }
        return { type: 'predicate.key-made', ...facts, madeAt: now() };
      }),
    ),
});
