import { loadSettings, type Settings } from '../config/config.ts';
import { localStack } from '../config/local-stack.ts';
import { anvilUrl, prepareAnvil } from '../stack/anvil.ts';
import { isPortFree } from '../stack/ports.ts';
import { preparePostgres } from '../stack/postgres.ts';
import { openProcessRegistry } from '../stack/process-registry.ts';
import { createSupervisor, type Supervisor } from '../stack/supervisor.ts';
import { prepareTemporal } from '../stack/temporal.ts';
import { type LocalCounts, type LocalHome, prepareHome } from './local-home.ts';
import { localServices, serviceEnvironment } from './local-services.ts';
import { hasJobs, runSampleJob } from './sample-job.ts';
import { ensureDatabase, setUp } from './setup.ts';
import { startOptions } from './start-options.ts';

const report = (line: string): void => console.log(line);

/** Starts what the settings do not take from outside, and names the addresses of all servers. */
const startServers = async (
  home: LocalHome,
  settings: Settings,
  supervisor: Supervisor,
  signal: AbortSignal,
  temporalUi: boolean,
) => {
  const local = localStack(home.ports, home.postgresPassword);
  const { ports } = home;
  const postgres = async () => {
    if (settings.databaseUrl !== null) return report('PostgreSQL from DATABASE_URL');
    const spec = await preparePostgres({
      directory: home.path('postgres'),
      logFile: home.path('logs', 'postgres.log'),
      port: ports.postgres,
      password: home.postgresPassword,
      durable: true,
    });
    await supervisor.start(spec);
    await ensureDatabase(local.databaseUrl);
    report('PostgreSQL is up');
  };
  const temporal = async () => {
    if (settings.temporalAddress !== null) return report('Temporal from TEMPORAL_ADDRESS');
    const spec = await prepareTemporal({
      env: process.env,
      report,
      signal,
      file: home.path('temporal', 'temporal.db'),
      logFile: home.path('logs', 'temporal.log'),
      ports: {
        grpc: ports.temporal,
        ui: ports.temporalUi,
        http: ports.temporalHttp,
        metrics: ports.temporalMetrics,
      },
      ui: temporalUi,
    });
    await supervisor.start(spec);
    report('Temporal is up');
  };
  /** Address of the chain for anchors. A chain of this machine is a convenience: without it the rest works as well. */
  const chain = async (): Promise<string | null> => {
    const { rpcUrl } = settings.anchoring;
    if (rpcUrl !== null) {
      report('Anchors go to ANCHOR_RPC_URL');
      return rpcUrl;
    }
    const spec = await prepareAnvil({
      stateFile: home.path('anvil', 'state.json'),
      logFile: home.path('logs', 'anvil.log'),
      port: ports.anvil,
    });
    if (spec === null) {
      report('Nothing is anchored: the optional package of anvil is not installed');
      return null;
    }
    try {
      await supervisor.start(spec);
    } catch (error) {
      report(`Nothing is anchored: ${(error as Error).message}`);
      return null;
    }
    report('anvil is up (a simulated chain for anchors, not a public one)');
    return anvilUrl(ports.anvil);
  };
  const [anchorRpcUrl] = await Promise.all([chain(), postgres(), temporal()]);
  return {
    anchorRpcUrl,
    databaseUrl: settings.databaseUrl ?? local.databaseUrl,
    temporalAddress: settings.temporalAddress ?? local.temporalAddress,
    temporalUiUrl:
      settings.temporalAddress === null && temporalUi ? local.temporalUiUrl : settings.temporalUiUrl,
  };
};

interface StartOptions {
  readonly settings: Settings;
  readonly supervisor: Supervisor;
  readonly counts: LocalCounts;
  /** Whether an empty store gets the sample job. */
  readonly sample: boolean;
  readonly temporalUi: boolean;
  /** Folder of one-file programs. */
  readonly programs: string | null;
  readonly signal: AbortSignal;
}

const start = async (options: StartOptions): Promise<void> => {
  const { settings, supervisor, counts, sample, temporalUi, programs, signal } = options;
  const { port, apiUrl } = settings;
  if (!(await isPortFree(port))) {
    throw new Error(`Port ${port} of 127.0.0.1 is in use: set PORT to another one`);
  }
  const home = await prepareHome(settings.home, counts);
  const servers = await startServers(home, settings, supervisor, signal, temporalUi);
  const { databaseUrl, temporalUiUrl } = servers;
  const { nodes } = await setUp(home, {
    databaseUrl,
    apiUrl,
    meshPorts: home.meshPorts,
    tRef: settings.tRef,
  });
  const env = serviceEnvironment(home, servers, counts);
  const services = localServices(home, nodes, env, port, counts.projectors, programs);
  await Promise.all(
    services.map(async (spec) => {
      await supervisor.start(spec);
      report(`${spec.name} is up`);
    }),
  );
  if (sample && !(await hasJobs(databaseUrl)) && !(await runSampleJob(env, signal)) && !signal.aborted) {
    report('The sample job did not settle; the stack stays up');
  }
  report(
    [
      '',
      'AIVillage is up. Stop it with Ctrl-C.',
      `  API          ${apiUrl}`,
      ...home.moreApiPorts.map((each) => `               http://127.0.0.1:${each}`),
      `  API docs     ${apiUrl}/docs`,
      `  Temporal UI  ${temporalUiUrl ?? (settings.temporalAddress === null ? 'off (npm start -- --temporal-ui)' : 'not known (TEMPORAL_UI_URL)')}`,
      `  Data         ${settings.home} (credentials.json, logs/)`,
    ].join('\n'),
  );
};

const main = async (): Promise<void> => {
  const { counts, sample, temporalUi, programs } = startOptions(process.argv.slice(2));
  const settings = loadSettings(process.env);
  if (settings.profile !== 'embedded') throw new Error('npm start is for AIVILLAGE_PROFILE=embedded');
  const registry = await openProcessRegistry(`${settings.home}/run/processes.json`, report);
  const supervisor = createSupervisor({ registry, report });
  const stopping = new AbortController();
  const ended = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) report('Stopping');
      stopping.abort();
    });
  }
  const started = start({
    settings,
    supervisor,
    counts,
    sample,
    temporalUi,
    programs,
    signal: stopping.signal,
  });
  try {
    await Promise.race([started.then(() => ended), ended]);
  } finally {
    await supervisor.stop();
  }
};

// A terminal that went away must not keep the children from being stopped.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

main().then(
  // Not by itself: what an interrupted start was in the middle of may still wait for the servers.
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
