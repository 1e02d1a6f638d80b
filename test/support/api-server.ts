import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { pino } from 'pino';
import type { EventStore } from '../../domain/ports/event-store.ts';
import type { Role } from '../../domain/subject/events.ts';
import { type Config, loadConfig } from '../../infra/config/config.ts';
import { newApiKey } from '../../infra/keys/api-key.ts';
import { createEnrolment } from '../../infra/keys/enrolment.ts';
import { startApi } from '../../infra/main/api/start-api.ts';
import { type SimulatedRoot, saveRoot } from '../../infra/tee/index.ts';
import { COMMAND_KEY_FILE } from './command-keys.ts';
import { byToken, createRest, type Rest } from './rest.ts';

/** Somebody who has signed in. */
export interface Caller {
  readonly id: string;
  readonly apiKey: string;
  readonly token: string;
  readonly rest: Rest;
}

export interface ApiServer {
  readonly url: string;
  /** Its data directory, with keys of its own. */
  readonly home: string;
  readonly config: Config;
  /** Without an identity. */
  readonly anybody: Rest;
  /** A new principal with these roles, signed in. */
  enrol(...roles: readonly Role[]): Promise<Caller>;
  /** Signs in with an API key. */
  signIn(apiKey: string): Promise<Omit<Caller, 'id'>>;
  stop(): Promise<void>;
}

interface ApiServerOptions {
  readonly databaseUrl: string;
  readonly pool: Pool;
  readonly store: EventStore;
  /** Where Temporal is; nobody answers there unless given. */
  readonly temporalAddress?: string;
  readonly taskQueue?: string;
  /** A simulated root that it trusts; none unless given. */
  readonly simulatedRoot?: SimulatedRoot;
  /** Another API whose data directory this one shares. */
  readonly beside?: ApiServer;
  /** Settings as a process gets them. */
  readonly environment?: Readonly<Record<string, string>>;
}

const KEY_FILES = ['master.key', 'engine.key', 'anchor.key'];
const UNLIMITED = {
  RATE_LIMIT_ANONYMOUS: '10000',
  RATE_LIMIT_AUTHENTICATED: '10000',
  RATE_LIMIT_PREMIUM: '10000',
};

const newHome = async (): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), 'aivillage-api-'));
  await mkdir(join(home, 'keys'));
  for (const name of KEY_FILES) {
    await writeFile(join(home, 'keys', name), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  }
  await writeFile(join(home, 'keys', 'commands.key'), COMMAND_KEY_FILE, { mode: 0o600 });
  return home;
};

/** The API as its own process runs it, on a free port of this one and a migrated database. */
export const startApiServer = async (options: ApiServerOptions): Promise<ApiServer> => {
  const { databaseUrl, pool, store, temporalAddress = '127.0.0.1:1', taskQueue } = options;
  const { simulatedRoot, environment, beside } = options;
  const home = beside?.home ?? (await newHome());
  if (simulatedRoot) await saveRoot(join(home, 'tee', 'root'), simulatedRoot);
  const config = loadConfig({
    AIVILLAGE_HOME: home,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    ...UNLIMITED,
    ...environment,
  });
  const api = await startApi({ ...config, port: 0 }, pino({ level: 'silent' }), taskQueue);
  const url = `http://127.0.0.1:${api.port}`;
  const anybody = createRest(url);
  const enrolment = createEnrolment({ pool, store, now: () => new Date().toISOString() });

  const signIn = async (apiKey: string): Promise<Omit<Caller, 'id'>> => {
    const { status, body } = await anybody.post<{ access_token: string }>('/v1/auth/token', {
      api_key: apiKey,
    });
    if (status !== 200) throw new Error(`sign-in answered ${status}`);
    return { apiKey, token: body.access_token, rest: createRest(url, byToken(body.access_token)) };
  };

  return {
    url,
    home,
    config,
    anybody,
    signIn,
    enrol: async (...roles) => {
      const apiKey = newApiKey();
      const made = await enrolment.enrolApiKey(apiKey, roles);
      if (!made.ok) throw new Error(made.message);
      return { id: made.value.subjectId, ...(await signIn(apiKey)) };
    },
    stop: async () => {
      await api.stop();
      if (!beside) await rm(home, { recursive: true, force: true });
    },
  };
};
