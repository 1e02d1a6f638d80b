import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const serversSchema = z.object({
  postgres: z.number().int(),
  temporal: z.number().int(),
  temporalUi: z.number().int(),
  temporalHttp: z.number().int(),
  temporalMetrics: z.number().int(),
  mesh: z.number().int(),
  anvil: z.number().int(),
});
export const SERVER_PORT_NAMES = Object.keys(serversSchema.shape) as (keyof z.infer<typeof serversSchema>)[];

/** The ports of a local stack, remembered in `ports.json` so that its URLs stay the same. The first API's is a setting. */
const portsSchema = serversSchema.extend({
  /** Of the second worker's peer, the second API and so on, by the name of the process. */
  processes: z.record(z.string(), z.number().int()).default({}),
});
export type LocalPorts = z.infer<typeof portsSchema>;

/** Addresses of the servers that `npm start` runs for one data directory. */
export interface LocalStack {
  readonly ports: LocalPorts;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
}

export const localFiles = (home: string) => ({
  ports: join(home, 'ports.json'),
  postgresPassword: join(home, 'keys', 'postgres.password'),
});

export const localStack = (ports: LocalPorts, postgresPassword: string): LocalStack => ({
  ports,
  databaseUrl: `postgres://postgres:${encodeURIComponent(postgresPassword)}@127.0.0.1:${ports.postgres}/aivillage`,
  temporalAddress: `127.0.0.1:${ports.temporal}`,
  temporalUiUrl: `http://127.0.0.1:${ports.temporalUi}`,
});

/** The ports noted in `home`; null when there are none or the note is not whole. */
export const readLocalPorts = (home: string): LocalPorts | null => {
  const file = localFiles(home).ports;
  if (!existsSync(file)) return null;
  return portsSchema.safeParse(parseJson(readFileSync(file, 'utf8'))).data ?? null;
};

/** The local stack that was set up in `home`; null before the first start. */
export const readLocalStack = (home: string): LocalStack | null => {
  const ports = readLocalPorts(home);
  const { postgresPassword } = localFiles(home);
  if (ports === null || !existsSync(postgresPassword)) return null;
  return localStack(ports, readFileSync(postgresPassword, 'utf8').trim());
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
