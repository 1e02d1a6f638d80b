import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { compareWithRebuild } from '../../projections/compare.ts';
import { ledgerTotal } from '../../projections/ledger/queries.ts';
import { describeParked } from '../../projections/parked.ts';
import { READ_MODELS, readModel } from '../../projections/read-models.ts';
import { rebuild } from '../../projections/rebuild.ts';
import { retryParked } from '../../projections/retry.ts';
import { dumpTable, withScratch } from '../../projections/scratch.ts';
import { projectionStatus } from '../../projections/status.ts';
import { runAuditCheck } from '../audit/check.ts';
import { replayStream } from '../audit/replay.ts';
import { type AuditReport, passed } from '../audit/report.ts';
import { loadConfig } from '../config/config.ts';
import { createPostgresEventStore } from '../event-store/postgres/store.ts';
import { createPool } from '../postgres/pool.ts';
import { createLifecycles } from '../temporal/lifecycles.ts';
import { parseExportHeader } from '../verify/export/header.ts';

const USAGE = `usage:
  audit check [--json] [--after CHECKPOINT]  hash chain, every stream, every read model, the sum of the ledger;
                                           with a signed checkpoint that was checked before, of what came after it
  audit replay STREAM [--at REVISION]      state of a stream, now or at a revision
  audit rebuild [NAME ...]                 builds read models anew beside the live ones and swaps
  audit rebuild [NAME ...] --until POSITION  prints read models as they were at a position; changes nothing
  audit status                             where every read model stands, and what it has parked
  audit retry NAME [KEY ...]               lets a read model try what it has parked again, as after a repair`;

/** Connections: one per scratch rebuild, the rest for the streams compared at the same time. */
const POOL_SIZE = 10;
/** Workflows answer a query in milliseconds; a server that is away must not hold up the audit for long. */
const QUERY_TIMEOUT_MS = 10_000;
/** A read model is built anew, and compared, in single statements. */
const STATEMENT_MS = 600_000;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Print = (line: string) => void;

const json = (value: unknown, space?: number): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each), space);

const wholeNumber = (option: string, value: string): bigint => {
  if (!/^\d{1,18}$/.test(value)) throw new UsageError(`--${option} must be a whole number`);
  return BigInt(value);
};

/** The adapters an audit reads through. Temporal is dialled by the first query. */
const open = (env: NodeJS.ProcessEnv) => {
  const config = loadConfig(env);
  const pool = createPool(config.databaseUrl, { name: 'audit', max: POOL_SIZE, statementMs: STATEMENT_MS });
  const store = createPostgresEventStore({ pool });
  const connection = Connection.lazy({ address: config.temporalAddress });
  const client = new Client({ connection, namespace: config.temporalNamespace });
  const lifecycles = createLifecycles({ client, store, taskQueue: 'audit', timeoutMs: QUERY_TIMEOUT_MS });
  return {
    pool,
    store,
    check: (after?: string) =>
      runAuditCheck({
        after,
        pool,
        store,
        lifecycles,
        readModels: READ_MODELS.map((projection) => ({
          name: projection.name,
          compare: () => compareWithRebuild(pool, store, projection),
        })),
        ledgerTotal: () => ledgerTotal(pool),
      }),
    close: async () => {
      await store.close();
      await connection.close();
      await pool.end();
    },
  };
};

type Audit = ReturnType<typeof open>;

const verdict = (ok: boolean): string => (ok ? 'ok' : 'FAILED');

const printReport = (report: AuditReport, print: Print): void => {
  const from = report.from === '0' ? '' : ` after position ${report.from}`;
  print(
    `log          ${report.events} events${from}, ${report.streams} streams, up to position ${report.position}`,
  );
  print(`hash chain   ${verdict(report.chain_ok)}`);
  print(`replay       ${verdict(report.replay_ok)}`);
  const models = report.projections_ok;
  print(`read models  ${models === null ? 'not compared: they follow from the whole log' : verdict(models)}`);
  print(`ledger       sum ${report.ledger_sum_micro} micro-units`);
  if (report.sla_credits_micro !== '0' || report.sla_outstanding_micro !== '0')
    print(
      `SLA credits  ${report.sla_credits_micro} micro-units, ${report.sla_outstanding_micro} outstanding`,
    );
  for (const { check, subject, difference } of report.problems)
    print(`  ${check}: ${subject}: ${difference}`);
};

/** The checkpoint in a file: the note itself, or an exported log, whose first line holds one. */
const keptCheckpoint = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--after ${file}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!text.startsWith('{')) return text.replace(/\n\n$/, '\n');
  try {
    return parseExportHeader(text.slice(0, text.indexOf('\n'))).checkpoint;
  } catch {
    throw new UsageError(`--after ${file}: neither a checkpoint nor an exported log`);
  }
};

const check = async (audit: Audit, args: string[], print: Print): Promise<number> => {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, after: { type: 'string' } },
  });
  const report = await audit.check(
    values.after === undefined ? undefined : await keptCheckpoint(values.after),
  );
  if (values.json) print(json(report));
  else printReport(report, print);
  return passed(report) ? 0 : 1;
};

const replay = async (audit: Audit, args: string[], print: Print): Promise<number> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { at: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [stream] = positionals;
  if (!stream || positionals.length > 1) throw new UsageError('audit replay takes one stream');
  const at = values.at === undefined ? undefined : wholeNumber('at', values.at);
  const state = await replayStream(audit.store, stream, at);
  if (!state) throw new UsageError(`no events in ${stream}`);
  if (at !== undefined && BigInt(state.revision) < at) {
    throw new UsageError(`${stream} ends at revision ${state.revision}`);
  }
  print(json(state, values.json ? undefined : 2));
  return 0;
};

const rebuildReadModels = async ({ pool, store }: Audit, args: string[], print: Print): Promise<number> => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { until: { type: 'string' } },
  });
  const projections = positionals.length > 0 ? positionals.map(readModel) : READ_MODELS;
  const until = values.until === undefined ? null : wholeNumber('until', values.until);
  for (const projection of projections) {
    if (until === null) {
      const build = await rebuild(pool, store, projection);
      print(`${projection.name}: build ${build.build} is live at position ${build.position}`);
      continue;
    }
    await withScratch(pool, store, projection, async ({ session, names, fill }) => {
      await fill(until);
      for (const table of projection.tables) {
        for (const row of await dumpTable(session, names(table))) print(`{"table":"${table}","row":${row}}`);
      }
    });
  }
  return 0;
};

const status = async ({ pool, store }: Audit, print: Print): Promise<number> => {
  const { position } = await store.head();
  const statuses = await projectionStatus(pool, position);
  for (const each of statuses) print(json(each));
  return statuses.some((each) => each.parked.length > 0) ? 1 : 0;
};

const retry = async ({ pool, store }: Audit, [name, ...keys]: string[], print: Print): Promise<number> => {
  if (!name) throw new UsageError('audit retry takes the name of a read model, and the keys that are meant');
  const retried = await retryParked(pool, store, readModel(name), keys);
  for (const { key, parked } of retried)
    print(parked ? describeParked(parked) : `${key} shows what the log says again`);
  if (retried.length === 0) print(`${name} has parked nothing`);
  return retried.some(({ parked }) => parked !== null) ? 1 : 0;
};

const VERBS = {
  check,
  replay,
  rebuild: rebuildReadModels,
  status: (audit: Audit, _: string[], print: Print) => status(audit, print),
  retry,
};

const isVerb = (verb: string | undefined): verb is keyof typeof VERBS =>
  verb !== undefined && Object.hasOwn(VERBS, verb);

const isUsage = (error: unknown): error is Error =>
  error instanceof UsageError ||
  error instanceof RangeError ||
  (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;

/**
 * Runs one verb of the audit.
 * @returns the exit code: 0 as asked, 1 a check failed, 2 the request makes no sense.
 */
export const audit = async (
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  print: Print,
): Promise<number> => {
  const [verb, ...args] = argv;
  if (!isVerb(verb)) {
    print(USAGE);
    return verb === undefined || verb === 'help' || verb === '--help' ? 0 : 2;
  }
  const adapters = open(env);
  try {
    return await VERBS[verb](adapters, args, print);
  } catch (error) {
    if (!isUsage(error)) throw error;
    print(error.message);
    return 2;
  } finally {
    await adapters.close();
  }
};

if (import.meta.main) process.exitCode = await audit(process.argv.slice(2), process.env, console.log);
