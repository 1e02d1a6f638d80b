import { MODULE_STDERR_FD } from './protocol.ts';
import { writeAll } from './write-all.ts';

/** Writes what a module says to its standard error, all of it before it returns. */
export const writeModuleStderr = (bytes: Uint8Array): void => writeAll(MODULE_STDERR_FD, bytes);
