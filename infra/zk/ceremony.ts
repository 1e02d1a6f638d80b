import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FieldError, ok, type Result, reject } from '../../domain/errors.ts';
import type { Shape } from '../../domain/predicate/ir.ts';
import { jsonFault, nameFault } from '../../domain/text.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import type { CircuitKey, Circuits } from './circuits.ts';
import { sha256OfFile } from './hashes.ts';
import { withTools } from './tool-process.ts';
import type { Toolchain } from './toolchain.ts';
import type { MadeKey } from './transcript.ts';

/** Where a ceremony stands; lies beside its files, and travels with them from one contributor to the next. */
interface State extends MadeKey {
  readonly shape: Shape;
  /** Hex SHA-256 of the newest key. */
  readonly zkeyHash: string;
}

const STATE = 'ceremony.json';
const NEXT_STATE = 'ceremony.next.json';
const NEXT = 'next.zkey';

const MOST_NAME = 100;

/** Who contributed is part of the transcript, and so of the log. */
const nameErrors = (names: readonly string[]): FieldError[] =>
  names.flatMap((name) => {
    const rule =
      name.length > 0 && name.length <= MOST_NAME ? nameFault(name) : `1 to ${MOST_NAME} characters`;
    return rule ? [{ field: 'name', rule }] : [];
  });

export interface CeremonyDeps {
  /** The folder that goes round. */
  readonly folder: string;
  readonly toolchain: Toolchain;
  readonly circuits: Circuits;
  readonly onProgress?: (step: string) => void;
}

/**
 * A set-up with several contributors. Each adds a secret and forgets it; a public beacon, unknown until all have
 * contributed, closes it. The key is safe when one of them was honest.
 */
export const createCeremony = ({ folder, toolchain, circuits, onProgress }: CeremonyDeps) => {
  const file = (name: string): string => join(folder, name);
  const options = onProgress ? { onProgress } : {};

  const write = (state: State) => writeFile(file(NEXT_STATE), `${JSON.stringify(state, null, 2)}\n`);
  const adopt = () => rename(file(NEXT_STATE), file(STATE));

  const read = async (name: string): Promise<State | null> => {
    const text = await readFile(file(name), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as State);
  };

  /** The record of the key that is there: of a contributor who was cut off between key and record, the next one. */
  const recordOf = async (state: State): Promise<State | null> => {
    const hash = await sha256OfFile(file(CIRCUIT_FILES.zkey));
    if (hash === state.zkeyHash) return state;
    const next = await read(NEXT_STATE);
    if (next?.zkeyHash !== hash) return null;
    await adopt();
    return next;
  };

  const load = async (): Promise<Result<State>> => {
    const saved = await read(STATE);
    if (!saved) return reject('RESOURCE_NOT_FOUND', `${folder} holds no ceremony`);
    const foreign = jsonFault(saved, STATE) ?? nameErrors(saved.contributions.map(({ name }) => name))[0];
    if (foreign) return reject('INVALID_REQUEST', 'the record of the ceremony is not usable', [foreign]);
    const state = await recordOf(saved);
    if (!state) return reject('CONFLICT', 'the key is not the one that the record names');
    return ok(state);
  };

  const unnamed = (contributor: string) => {
    const errors = nameErrors([contributor]);
    return errors.length > 0 ? reject('INVALID_REQUEST', 'a contributor needs a name', errors) : null;
  };

  const closed = () => reject('CONFLICT', 'the ceremony is closed');

  /** One more contribution, checked from the circuit on before it counts. */
  const add = async (state: State, contributor: string, beacon: string | null): Promise<State> => {
    const made = await withTools((tools) =>
      tools.run(
        {
          type: 'contribute',
          r1cs: file(CIRCUIT_FILES.r1cs),
          ptau: toolchain.ptau.path,
          from: file(CIRCUIT_FILES.zkey),
          to: file(NEXT),
          contributor,
          ...(beacon !== null && { beacon }),
        },
        options,
      ),
    );
    const next: State = {
      ...state,
      contributions: [...state.contributions, made.contribution],
      beacon,
      verified: made.verified,
      verificationKey: made.verificationKey,
      zkeyHash: await sha256OfFile(file(NEXT)),
    };
    await write(next);
    await rename(file(NEXT), file(CIRCUIT_FILES.zkey));
    await adopt();
    return next;
  };

  return {
    /** Compiles the circuit and makes the first contribution. */
    async start(shape: Shape, contributor: string): Promise<Result<readonly string[]>> {
      const refused = unnamed(contributor);
      if (refused) return refused;
      if (await circuits.find(shape)) return reject('CONFLICT', 'the circuit has a key already');
      await mkdir(folder, { recursive: true });
      const compiled = await circuits.compile(shape, onProgress);
      for (const name of [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm])
        await copyFile(join(compiled.directory, name), file(name));
      const { contribution, ...made } = await withTools((tools) =>
        tools.run({ type: 'set-up', directory: folder, ptau: toolchain.ptau.path, contributor }, options),
      );
      const zkeyHash = await sha256OfFile(file(CIRCUIT_FILES.zkey));
      await write({ ...made, shape, contributions: [contribution], beacon: null, zkeyHash });
      await adopt();
      return ok([contribution.hash]);
    },

    /** Adds a contribution; answers with the hashes of all, for their contributors to publish. */
    async contribute(contributor: string): Promise<Result<readonly string[]>> {
      const refused = unnamed(contributor);
      if (refused) return refused;
      const state = await load();
      if (!state.ok) return state;
      if (state.value.beacon !== null) return closed();
      const next = await add(state.value, contributor, null);
      return ok(next.contributions.map(({ hash }) => hash));
    },

    /**
     * Closes the ceremony with a public beacon (hex) and hands the key to the cache, where the engine finds it when the
     * circuit is asked for. A key that was published before stays. The same beacon again gives the same key.
     */
    async finish(beacon: string): Promise<Result<CircuitKey>> {
      if (!/^([0-9a-f]{2}){16,64}$/.test(beacon)) {
        return reject('INVALID_REQUEST', 'the beacon is not usable', [
          { field: 'beacon', rule: '16 to 64 bytes in lower-case hex' },
        ]);
      }
      const state = await load();
      if (!state.ok) return state;
      if (state.value.beacon !== null && state.value.beacon !== beacon) return closed();
      const compiled = await circuits.compile(state.value.shape, onProgress);
      for (const name of [CIRCUIT_FILES.r1cs, CIRCUIT_FILES.wasm]) {
        if ((await sha256OfFile(file(name))) !== compiled.files[name])
          return reject('CONFLICT', `${name} is not what this installation compiles`);
      }
      const final = state.value.beacon === null ? await add(state.value, 'beacon', beacon) : state.value;
      const { zkeyHash: _, shape, ...made } = final;
      const installed = await circuits.install(shape, folder, made);
      return installed ? ok(installed) : reject('CONFLICT', 'the circuit has another key already');
    },
  };
};
