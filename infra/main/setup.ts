import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import type { Result } from '../../domain/errors.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account } from '../../domain/ledger/events.ts';
import { toMicro } from '../../domain/money.ts';
import type { Role } from '../../domain/subject/events.ts';
import { DEFAULT_T_REF } from '../../domain/tiers.ts';
import { instant } from '../../domain/time.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createJournal } from '../journal/journal.ts';
import { newApiKey } from '../keys/api-key.ts';
import { createEnrolment } from '../keys/enrolment.ts';
import { engineAddress } from '../p2p/engine-address.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { type LocalHome, writeWhole } from './local-home.ts';
import { type LocalNode, prepareNodes, writeNodeConfigs } from './local-nodes.ts';

const OPERATOR_ROLES: readonly Role[] = ['submitter', 'operator', 'auditor', 'admin'];
/** Play money of the first start (settled 11), in micro-units. */
const OPERATOR_CREDIT = toMicro('10000000000');
const OWNER_CREDIT = toMicro('1000000000');
const GENESIS = 'local-genesis';

export interface LocalSetup {
  readonly nodes: readonly LocalNode[];
  readonly apiKey: string;
}

/** Creates the database that `url` names on its server, unless it exists. */
export const ensureDatabase = async (url: string): Promise<void> => {
  const target = new URL(url);
  const name = decodeURIComponent(target.pathname.slice(1));
  target.pathname = '/postgres';
  const client = new Client({ connectionString: target.href });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
};

/**
 * Brings database, principals, play money, credentials and node configurations to what a local stack needs. Each step
 * finds what an earlier run has done, so a start that was cut short is completed by the next one.
 */
export const setUp = async (
  home: LocalHome,
  {
    databaseUrl,
    apiUrl,
    meshPorts,
    tRef = DEFAULT_T_REF,
  }: { databaseUrl: string; apiUrl: string; meshPorts: readonly number[]; tRef?: number },
): Promise<LocalSetup> => {
  await migrate(databaseUrl);
  const nodes = await prepareNodes(home);
  const apiKey = await prepareCredentials(home, apiUrl);
  const pool = createPool(databaseUrl, { name: 'setup', max: 4 });
  const store = createPostgresEventStore({ pool });
  try {
    const now = () => instant(Date.now());
    const enrolment = createEnrolment({ pool, store, now });
    const { subjectId: operator } = valueOf(await enrolment.enrolApiKey(apiKey, OPERATOR_ROLES));
    const owners = new Map<string, string>();
    for (const { profile, publicKey } of nodes) {
      const { subjectId } = valueOf(await enrolment.enrolPublicKey(publicKey, ['provider']));
      owners.set(profile.name, subjectId);
    }
    const journal = createJournal({ store });
    const credit = async (principal: string, amount: typeof OWNER_CREDIT) => {
      const entry = transfer(
        'genesis',
        account.external,
        account.available(principal),
        amount,
        GENESIS,
        principal,
      );
      const context = { actor: 'engine', correlationId: GENESIS, causationId: GENESIS, traceparent: null };
      const posted = await journal.post([entry], { ...context, occurredAt: now() });
      // A conflict is an entry of this name: an earlier start has paid it.
      if (!posted.ok && posted.code !== 'CONFLICT') throw new Error(posted.message);
    };
    await credit(operator, OPERATOR_CREDIT);
    for (const owner of owners.values()) await credit(owner, OWNER_CREDIT);
    const engines = meshPorts.map((port, worker) => engineAddress(home.home, worker, port));
    await writeNodeConfigs(nodes, owners, await Promise.all(engines), tRef);
  } finally {
    await store.close();
    await pool.end();
  }
  return { nodes, apiKey };
};

/** The local operator's key, kept from the first start on; the address follows the port of this start. */
const prepareCredentials = async (home: LocalHome, apiUrl: string): Promise<string> => {
  const file = home.path('credentials.json');
  const existing = await readFile(file, 'utf8').catch(() => null);
  const apiKey = existing === null ? newApiKey() : (JSON.parse(existing) as { api_key: string }).api_key;
  await writeWhole(file, `${JSON.stringify({ api_url: apiUrl, api_key: apiKey }, null, 2)}\n`);
  return apiKey;
};

const valueOf = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(`local set-up was refused: ${result.message}`);
  return result.value;
};
