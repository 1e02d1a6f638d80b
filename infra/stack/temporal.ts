import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { allocatePorts } from './ports.ts';
import { canConnect, launchProcess, type ProcessSpec, type RunningProcess } from './process.ts';
import { type BinaryOptions, temporalBinary } from './temporal-binary.ts';

/** The search attribute that lists workflows by the state of their machine. */
export const STATE_ATTRIBUTE = 'MachineState';
const NAMESPACE = 'default';

/**
 * The development server always opens its HTTP API, without identity and for any `Host` and `Origin`: any page that the
 * user's browser shows could start workflows by a cross-site POST or by DNS rebinding. The API is not needed here, so it
 * serves one name alone, which nobody can own (RFC 6761 6.4); Nexus, whose routes come before that check, is off.
 */
const CLOSED_HTTP = { 'frontend.httpAllowedHosts': ['closed.invalid'], 'system.enableNexus': false };

export interface TemporalPorts {
  readonly grpc: number;
  readonly ui: number;
  readonly http: number;
  readonly metrics: number;
}

export interface TemporalOptions extends BinaryOptions {
  /** SQLite file that survives restarts; null keeps everything in memory (tests only). */
  readonly file: string | null;
  readonly logFile: string;
  readonly ports: TemporalPorts;
  /** The UI obeys whoever reaches its port, under any host name: only for those who ask for it. */
  readonly ui: boolean;
  /** Further dynamic configuration, e.g. a history limit that a test wants to meet. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface TemporalServer extends RunningProcess {
  /** `host:port` of the gRPC frontend. */
  readonly address: string;
  readonly uiUrl: string;
}

/**
 * A commit is one write ahead instead of two files synchronised: a killed server loses nothing. What it loses with the
 * power of the machine are moments that the event log has kept, and `recover` (README) goes on from there.
 */
const PRAGMAS = ['journal_mode=wal', 'synchronous=1'];

/** Finds the Temporal CLI and describes its development server. */
export const prepareTemporal = async (options: TemporalOptions): Promise<ProcessSpec> => {
  const command = await temporalBinary(options);
  const { file, ports } = options;
  if (file !== null) await mkdir(dirname(file), { recursive: true });
  const settings = {
    // The default of 10 makes a burst of bids on one auction wait for client back-offs.
    'history.maxInFlightUpdates': 1_000,
    'history.maxTotalUpdates': 10_000,
    ...CLOSED_HTTP,
    ...options.settings,
  };
  return {
    name: 'temporal',
    command,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'error'],
      ...['--port', `${ports.grpc}`, '--http-port', `${ports.http}`, '--metrics-port', `${ports.metrics}`],
      ...(options.ui ? ['--ui-port', `${ports.ui}`] : ['--headless']),
      ...(file === null
        ? []
        : ['--db-filename', file, ...PRAGMAS.flatMap((each) => ['--sqlite-pragma', each])]),
      ...['--search-attribute', `${STATE_ATTRIBUTE}=Keyword`],
      ...Object.entries(settings).flatMap(([key, value]) => [
        '--dynamic-config-value',
        `${key}=${JSON.stringify(value)}`,
      ]),
    ],
    env: { HOME: options.env['HOME'], PATH: options.env['PATH'] },
    logFile: options.logFile,
    isReady: async () => (await canConnect(ports.grpc)) && (await isServing(temporalAddress(ports))),
  };
};

/** Starts a development server on 127.0.0.1 and waits until it takes workflows. */
export const startTemporal = async (
  options: Omit<TemporalOptions, 'ports'> & { readonly ports?: TemporalPorts },
): Promise<TemporalServer> => {
  const ports = options.ports ?? (await allocateTemporalPorts());
  const running = await launchProcess(await prepareTemporal({ ...options, ports }));
  return { ...running, address: temporalAddress(ports), uiUrl: `http://127.0.0.1:${ports.ui}` };
};

export const allocateTemporalPorts = async (): Promise<TemporalPorts> => {
  const [grpc, ui, http, metrics] = (await allocatePorts(4)) as [number, number, number, number];
  return { grpc, ui, http, metrics };
};

export const temporalAddress = ({ grpc }: TemporalPorts): string => `127.0.0.1:${grpc}`;

/** True when the server answers and knows the namespace and the search attribute that every workflow sets. */
const isServing = async (address: string): Promise<boolean> => {
  const connection = Connection.lazy({ address, connectTimeout: '2s' });
  try {
    const { customAttributes } = await connection.withDeadline(Date.now() + 2_000, () =>
      connection.operatorService.listSearchAttributes({ namespace: NAMESPACE }),
    );
    return STATE_ATTRIBUTE in (customAttributes ?? {});
  } catch {
    // Not yet: the launch reports a server that never answers.
    return false;
  } finally {
    await connection.close();
  }
};
