import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Artefacts on the node's own disk, by the hash of their bytes. */
export interface KeptArtifacts {
  /**
   * Keeps the bytes, at the expense of those that were kept longest ago. What is larger than all the room is not kept; a
   * disk that fails is the owner's trouble (`onError`) and no job's.
   */
  keep(sha256: string, bytes: Uint8Array): Promise<void>;
  /** The bytes with this hash; null when they are gone or no longer those. */
  read(sha256: string): Promise<Uint8Array | null>;
}

const isName = (file: string): boolean => /^[0-9a-f]{64}$/.test(file);

const absent = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null;
  throw error;
};

export interface KeptArtifactsDeps {
  readonly directory: string;
  readonly maxBytes: number;
  readonly onError: (error: unknown) => void;
}

/** A folder of files named after their hashes, together at most `maxBytes` large. */
export const createKeptArtifacts = ({ directory, maxBytes, onError }: KeptArtifactsDeps): KeptArtifacts => {
  let writing: Promise<void> = Promise.resolve();

  const makeRoom = async (): Promise<void> => {
    const names = (await readdir(directory)).filter(isName);
    const files = await Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs } = await stat(join(directory, name));
        return { name, size, mtimeMs };
      }),
    );
    let free = maxBytes;
    for (const { name, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
      free -= size;
      if (free < 0) await rm(join(directory, name));
    }
  };

  const write = async (sha256: string, bytes: Uint8Array): Promise<void> => {
    const file = join(directory, sha256);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const known = await stat(file).catch(absent);
    if (known?.size === bytes.length) {
      await utimes(file, new Date(), new Date());
      return;
    }
    await writeFile(`${file}.new`, bytes, { mode: 0o600 });
    await rename(`${file}.new`, file);
    await makeRoom();
  };

  return {
    keep(sha256, bytes) {
      if (bytes.length > maxBytes) return Promise.resolve();
      writing = writing.then(() => write(sha256, bytes)).catch(onError);
      return writing;
    },

    async read(sha256) {
      const bytes = await readFile(join(directory, sha256)).catch(absent);
      return bytes && createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : null;
    },
  };
};
