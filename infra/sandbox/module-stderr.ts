import { writeSync } from 'node:fs';
import { MODULE_STDERR_FD } from './protocol.ts';

/** Writes what a module says to its standard error, all of it before it returns. */
export const writeModuleStderr = (bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(MODULE_STDERR_FD, bytes, at);
};
