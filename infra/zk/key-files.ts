import { randomBytes } from 'node:crypto';
import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transcript } from '../../domain/predicate/transcript.ts';
import { CIRCUIT_FILES } from './circuit-files.ts';
import { sha256, sha256OfFile } from './hashes.ts';

/** Fetches a file of a circuit; null when there is none. */
export type FetchFile = (name: string, sha256: string) => Promise<Uint8Array | null>;

/** The files of a key did not come, or are others than its transcript names. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * Paths of the files to prove with, fetched when they are not in `directory` yet. Each is checked against the transcript
 * of the published key every time: a prover must not be handed another circuit. @throws KeyFileError
 */
export const keyFiles = async (
  directory: string,
  { wasmHash, zkeyHash }: Pick<Transcript, 'wasmHash' | 'zkeyHash'>,
  fetchFile: FetchFile,
): Promise<{ readonly wasm: string; readonly zkey: string }> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const ensure = async (name: string, hash: string): Promise<string> => {
    const path = join(directory, `${hash}.${name}`);
    const known = await access(path).then(
      () => sha256OfFile(path),
      () => null,
    );
    if (known === hash) return path;
    const bytes = await fetchFile(name, hash);
    if (!bytes || sha256(bytes) !== hash)
      throw new KeyFileError(`${name} is not the file of the published key`);
    const partial = `${path}.${randomBytes(4).toString('hex')}`;
    await writeFile(partial, bytes, { mode: 0o600 });
    await rename(partial, path);
    return path;
  };
  return {
    wasm: await ensure(CIRCUIT_FILES.wasm, wasmHash),
    zkey: await ensure(CIRCUIT_FILES.zkey, zkeyHash),
  };
};
