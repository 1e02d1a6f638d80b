import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, rm, writeFile } from 'node:fs/promises';
import { readKeyFile } from './key-file.ts';

/** Reads the keys of a file; where there is none it holds a new one afterwards, the same for all who ask at once. */
export const readOrMakeKeyFile = async (path: string): Promise<Uint8Array[]> => {
  if (!existsSync(path)) {
    const whole = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`;
    await writeFile(whole, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    try {
      // Unlike a rename, this leaves alone what another process has put there meanwhile.
      await link(whole, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(whole);
    }
  }
  return readKeyFile(path);
};
