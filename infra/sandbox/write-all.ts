import { writeSync } from 'node:fs';

/** Writes all of the bytes before it returns. The descriptor has to be one that blocks. */
export const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
};
