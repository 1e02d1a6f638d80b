import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { refuse } from '../failure.ts';

const credentialsSchema = z.object({ api_url: z.url({ protocol: /^https?$/ }), api_key: z.string().min(1) });

export interface ApiCredentials {
  /** Base URL without a slash at its end. */
  readonly apiUrl: string;
  readonly apiKey: string;
}

const read = async (file: string): Promise<unknown> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw refuse(`${file} cannot be read`);
    throw refuse(
      `No credentials in ${file}: start the engine with npm start, or set AIVILLAGE_API_URL and AIVILLAGE_API_KEY`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(`${file} is not JSON`);
  }
};

/**
 * Address and key of the API: of the environment where both are set, else of the data directory's `credentials.json`;
 * a single variable takes the place of what the file says.
 * @throws CliError when they are missing or malformed. The key is never shown.
 */
export const loadCredentials = async (home: string, env: NodeJS.ProcessEnv): Promise<ApiCredentials> => {
  const given = {
    ...(env['AIVILLAGE_API_URL'] ? { api_url: env['AIVILLAGE_API_URL'] } : {}),
    ...(env['AIVILLAGE_API_KEY'] ? { api_key: env['AIVILLAGE_API_KEY'] } : {}),
  };
  const file = join(home, 'credentials.json');
  const complete = given.api_url !== undefined && given.api_key !== undefined;
  const stored = complete ? {} : await read(file);
  const parsed = credentialsSchema.safeParse({ ...(stored as object | null), ...given });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw refuse(
      `The credentials (${file}, AIVILLAGE_API_URL, AIVILLAGE_API_KEY) are wrong: ${problems.join('; ')}`,
    );
  }
  return { apiUrl: parsed.data.api_url.replace(/\/+$/, ''), apiKey: parsed.data.api_key };
};
