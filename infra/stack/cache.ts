import { homedir } from 'node:os';
import { join } from 'node:path';

/** The project's folder for programs that are built or downloaded once per machine. */
export const cacheDirectory = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'aivillage');
