import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../domain/json.ts';
import type { Shape } from '../../domain/predicate/ir.ts';
import { type CacheEntry, createCache } from './cache.ts';
import type { Compiled } from './child/protocol.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import { circuitSource } from './circuit-source.ts';
import { sha256 } from './hashes.ts';
import { takeTurn } from './maker-queue.ts';
import { type ToolProcess, withTools } from './tool-process.ts';
import type { Toolchain } from './toolchain.ts';
import { type KeyFacts, keyFactsOf, type MadeKey } from './transcript.ts';

export type CompiledCircuit = CacheEntry<Compiled>;
export type CircuitKey = CacheEntry<KeyFacts>;

export interface CircuitsDeps {
  /** `$AIVILLAGE_HOME/zk`. */
  readonly directory: string;
  readonly toolchain: Toolchain;
  /** Named in the transcript of every key made here. */
  readonly contributor?: string;
  readonly runTools?: typeof withTools;
}

export interface Circuits {
  /** Compiles the circuit of a shape. */
  compile(shape: Shape, onProgress?: (step: string) => void): Promise<CompiledCircuit>;
  /** Makes its key; compiles first where that is missing. Two who miss at once share one set-up. */
  setUp(shape: Shape, onProgress?: (step: string) => void): Promise<CircuitKey>;
  /** Takes over a key made elsewhere, whose files lie in `from`; null when the circuit has another one already. */
  install(shape: Shape, from: string, made: MadeKey): Promise<CircuitKey | null>;
  /** The key, if this cache has it. */
  find(shape: Shape): Promise<CircuitKey | null>;
}

/** Whose turn it is to run the tools: no key of a circuit. */
const TOOLS = 'tools';

/** Compiled circuits and keys, each made once and kept under the hash of all that it depends on. */
export const createCircuits = ({
  directory,
  toolchain,
  contributor = 'aivillage development',
  runTools = withTools,
}: CircuitsDeps): Circuits => {
  const cache = createCache(directory);
  const { ptau, includes, ...versions } = toolchain;

  /** One tool process at a time on this host: each takes a processor and hundreds of megabytes. */
  const inTurn = async <T>(work: (tools: ToolProcess) => Promise<T>): Promise<T> => {
    const turn = await takeTurn(directory, TOOLS);
    try {
      return await runTools(work);
    } finally {
      await rm(turn, { recursive: true, force: true });
    }
  };

  const keyOf = (shape: Shape): string =>
    sha256(canonicalJson({ source: sha256(circuitSource(shape)), ...versions, powersOfTau: ptau.sha256 }));

  const compile: Circuits['compile'] = (shape, onProgress) =>
    cache.get(`${keyOf(shape)}.compiled`, [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm], async (into) => {
      onProgress?.('compiling');
      const source = circuitSource(shape);
      return inTurn((tools) => tools.run({ type: 'compile', source, includes, directory: into }));
    });

  const setUp: Circuits['setUp'] = (shape, onProgress) =>
    cache.get(keyOf(shape), Object.values(CIRCUIT_FILES), async (into) => {
      const compiled = await compile(shape, onProgress);
      for (const name of [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm])
        await copyFile(join(compiled.directory, name), join(into, name));
      const made = await inTurn((tools) =>
        tools.run(
          { type: 'set-up', directory: into, ptau: ptau.path, contributor },
          onProgress ? { onProgress } : {},
        ),
      );
      const { contribution, ...facts } = made;
      return keyFactsOf(shape, into, { ...facts, contributions: [contribution], beacon: null }, toolchain);
    });

  return {
    compile,
    setUp,
    install: async (shape, from, made) => {
      const facts = await keyFactsOf(shape, from, made, toolchain);
      const entry = await cache.get(keyOf(shape), Object.values(CIRCUIT_FILES), async (into) => {
        for (const name of Object.values(CIRCUIT_FILES)) await copyFile(join(from, name), join(into, name));
        return facts;
      });
      return entry.facts.transcript.keyHash === facts.transcript.keyHash ? entry : null;
    },
    find: (shape) => cache.find<KeyFacts>(keyOf(shape)),
  };
};
