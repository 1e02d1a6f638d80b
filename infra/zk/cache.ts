import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from './hashes.ts';
import { takeTurn } from './maker-queue.ts';

/** Files made once under a key that names everything they depend on. */
export interface CacheEntry<Facts> {
  readonly directory: string;
  /** File name → hex SHA-256. */
  readonly files: Readonly<Record<string, string>>;
  readonly facts: Facts;
}

interface Manifest {
  readonly files: Readonly<Record<string, string>>;
  readonly facts: unknown;
}

const MANIFEST = 'manifest.json';

/** Makes the files of an entry in an empty `directory`; what it answers is kept beside them as JSON. */
export type Make<Facts> = (directory: string) => Promise<Facts>;

/** Null for what a lost disk block left of one. */
const parseManifest = (text: string): Manifest | null => {
  try {
    return JSON.parse(text) as Manifest;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

/**
 * A content-addressed cache on disk. An entry appears whole or not at all, is checked against its hashes whenever it is
 * read, and is made once however many ask for it at the same moment, in this process or in others of this host.
 */
export const createCache = (root: string) => {
  const flights = new Map<string, Promise<CacheEntry<unknown>>>();

  const load = async (key: string): Promise<CacheEntry<unknown> | null> => {
    const directory = join(root, key);
    const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() => null);
    const manifest = text === null ? null : parseManifest(text);
    if (manifest === null) return null;
    const { files, facts } = manifest;
    for (const [name, sha256] of Object.entries(files)) {
      const found = await sha256OfFile(join(directory, name)).catch(() => null);
      if (found !== sha256) return null;
    }
    return { directory, files, facts };
  };

  const make = async (
    key: string,
    names: readonly string[],
    create: Make<unknown>,
  ): Promise<CacheEntry<unknown>> => {
    const partial = await takeTurn(root, key);
    try {
      const meanwhile = await load(key);
      if (meanwhile) return meanwhile;
      const facts = await create(partial);
      const files: Record<string, string> = {};
      for (const name of names) files[name] = await sha256OfFile(join(partial, name));
      const manifest: Manifest = { files, facts };
      await writeFile(join(partial, MANIFEST), JSON.stringify(manifest, null, 2));
      return await publish(key, partial);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };

  /** Moves a finished entry into place. Another process that was first keeps its own; what is damaged gives way. */
  const publish = async (key: string, partial: string): Promise<CacheEntry<unknown>> => {
    const directory = join(root, key);
    const first = await load(key);
    if (first) return first;
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    const entry = await load(key);
    if (!entry) throw new Error(`the entry ${key} was damaged while it was made`);
    return entry;
  };

  return {
    /** The entry of `key`, or null. */
    find: <Facts>(key: string) => load(key) as Promise<CacheEntry<Facts> | null>,

    /** The entry of `key`; made by `create` when it is missing or damaged. `names` are the files it has to make. */
    get: <Facts>(key: string, names: readonly string[], create: Make<Facts>): Promise<CacheEntry<Facts>> => {
      const flying = flights.get(key);
      if (flying) return flying as Promise<CacheEntry<Facts>>;
      const flight = (async () => (await load(key)) ?? (await make(key, names, create)))();
      flights.set(key, flight);
      void flight.catch(() => undefined).finally(() => flights.delete(key));
      return flight as Promise<CacheEntry<Facts>>;
    },
  };
};
