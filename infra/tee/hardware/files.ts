import { mkdir, open, rmdir, writeFile } from 'node:fs/promises';

/** The few operations that attestation devices are made of; every read is bounded. */
export interface DeviceFiles {
  /** Makes an entry in configfs, which the kernel fills with files. */
  makeEntry(path: string): Promise<void>;
  removeEntry(path: string): Promise<void>;
  /** Null where there is no such file, or nothing in it. @throws RangeError beyond `limit` bytes. */
  read(path: string, limit: number): Promise<Uint8Array | null>;
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** Absent, or of a driver that does not have it. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO']);

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ABSENT.has(String(error.code));

const readBounded = async (path: string, limit: number): Promise<Uint8Array | null> => {
  const file = await open(path, 'r');
  try {
    // Device files tell no size. One byte more than allowed shows that there is more.
    const buffer = new Uint8Array(limit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length > limit) throw new RangeError(`${path} holds more than ${limit} bytes`);
      if (bytesRead === 0) return length === 0 ? null : buffer.slice(0, length);
    }
  } finally {
    await file.close();
  }
};

export const systemFiles: DeviceFiles = {
  makeEntry: (path) => mkdir(path),
  removeEntry: (path) => rmdir(path),
  read: async (path, limit) => {
    try {
      return await readBounded(path, limit);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  },
  write: (path, bytes) => writeFile(path, bytes),
};
