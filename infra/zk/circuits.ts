import { link } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../domain/json.ts';
import type { Shape } from '../../domain/predicate/ir.ts';
import { circuitIdOf } from '../../domain/predicate/predicate.ts';
import type { Transcript } from '../../domain/predicate/transcript.ts';
import { keyHashOf } from '../verify/index.ts';
import { type CacheEntry, createCache } from './cache.ts';
import type { Compiled } from './child/protocol.ts';
import { circuitSource } from './circuit-source.ts';
import { sha256, sha256OfFile } from './hashes.ts';
import { startToolProcess, type ToolProcess } from './tool-process.ts';
import type { Toolchain } from './toolchain.ts';

export const CIRCUIT_FILES = {
  r1cs: 'circuit.r1cs',
  wasm: 'circuit.wasm',
  zkey: 'proving.zkey',
} as const;

/** What a set-up publishes. */
export interface KeyFacts {
  readonly verificationKey: Readonly<Record<string, unknown>>;
  readonly transcript: Transcript;
}

export type CompiledCircuit = CacheEntry<Compiled>;
export type CircuitKey = CacheEntry<KeyFacts>;

export interface CircuitsDeps {
  /** `$AIVILLAGE_HOME/zk`. */
  readonly directory: string;
  readonly toolchain: Toolchain;
  /** Named in the transcript of every key made here. */
  readonly contributor?: string;
}

export interface Circuits {
  /** Compiles the circuit of a shape. */
  compile(shape: Shape, onProgress?: (step: string) => void): Promise<CompiledCircuit>;
  /** Makes its key; compiles first where that is missing. Two who miss at once share one set-up. */
  setUp(shape: Shape, onProgress?: (step: string) => void): Promise<CircuitKey>;
  /** The key, if this cache has it. */
  find(shape: Shape): Promise<CircuitKey | null>;
}

/** Runs one job in a process of its own: compiler and set-up take hundreds of megabytes and leave file handles open. */
const once = async <T>(work: (tools: ToolProcess) => Promise<T>): Promise<T> => {
  const tools = startToolProcess();
  try {
    return await work(tools);
  } finally {
    await tools.close();
  }
};

/** Compiled circuits and keys, each made once and kept under the hash of all that it depends on. */
export const createCircuits = ({
  directory,
  toolchain,
  contributor = 'aivillage development',
}: CircuitsDeps): Circuits => {
  const cache = createCache(directory);
  const { ptau, ...tools } = toolchain;

  const keyOf = (source: string): string =>
    sha256(
      canonicalJson({
        source: sha256(source),
        templates: tools.templatesHash,
        compiler: tools.compiler,
        circomlib: tools.circomlibHash,
        prover: tools.prover,
        powersOfTau: ptau.sha256,
      }),
    );

  const compile: Circuits['compile'] = (shape, onProgress) => {
    const source = circuitSource(shape);
    return cache.get(`${keyOf(source)}.compiled`, [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm], async (into) => {
      onProgress?.('compiling');
      return once((process) =>
        process.run({ type: 'compile', source, includes: tools.includes, directory: into }),
      );
    });
  };

  const setUp: Circuits['setUp'] = (shape, onProgress) => {
    const source = circuitSource(shape);
    return cache.get(keyOf(source), Object.values(CIRCUIT_FILES), async (into) => {
      const compiled = await compile(shape, onProgress);
      for (const name of [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm]) {
        await link(join(compiled.directory, name), join(into, name));
      }
      const made = await once((process) =>
        process.run(
          { type: 'set-up', directory: into, ptau: ptau.path, contributor },
          { ...(onProgress && { onProgress }) },
        ),
      );
      const transcript: Transcript = {
        setup: 'single-party-development',
        curve: 'bn254',
        protocol: 'groth16',
        circuitId: circuitIdOf(shape),
        sourceHash: sha256(source),
        templatesHash: tools.templatesHash,
        compiler: tools.compiler,
        circomlibHash: tools.circomlibHash,
        prover: tools.prover,
        powersOfTau: { power: ptau.power, sha256: ptau.sha256 },
        r1csHash: compiled.files[CIRCUIT_FILES.r1cs] as string,
        circuitHash: made.circuitHash as string,
        contributions: [made.contribution],
        beacon: null,
        verified: made.verified,
        wasmHash: compiled.files[CIRCUIT_FILES.wasm] as string,
        zkeyHash: await sha256OfFile(join(into, CIRCUIT_FILES.zkey)),
        keyHash: keyHashOf(made.verificationKey),
      };
      return { verificationKey: made.verificationKey, transcript };
    });
  };

  return {
    compile,
    setUp,
    find: (shape) => cache.find<KeyFacts>(keyOf(circuitSource(shape))),
  };
};
