import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type ObservationSettings, ROUND_SECONDS, ROUNDS } from '../../domain/observation/window.ts';
import { DEFAULT_T_REF } from '../../domain/tiers.ts';
import { EPOCH_SECONDS, type TopologySettings } from '../../domain/topology/epoch.ts';
import type { ExpectedProcesses } from '../processes/roster.ts';
import { isNetwork } from '../rate-limits/proxies.ts';
import { readLocalStack } from './local-stack.ts';

/** The checkout: where the data directory lies unless AIVILLAGE_HOME says otherwise. */
const CHECKOUT = resolve(import.meta.dirname, '..', '..');

/** The port libp2p peers customarily listen on. */
const DEFAULT_MESH_PORT = 4_001;

const port = z.coerce.number().int().min(1).max(65_535);
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const count = z.coerce.number().int().min(0).max(1_000);
const perMinute = z.coerce.number().int().positive();

/** Every setting of every process, as environment variables. */
const environmentSchema = z.object({
  /** Data directory: keys, credentials, logs and, in the embedded profile, the servers' data. */
  AIVILLAGE_HOME: z.string().min(1).default(join(CHECKOUT, '.aivillage')),
  /** `embedded` starts its own servers and marks everything simulated as such; `production` takes all by URL. */
  AIVILLAGE_PROFILE: z.enum(['embedded', 'production']).default('embedded'),
  /** Port of the API. */
  PORT: port.default(8_000),
  /** Public base URL of the API: issuer and audience of its tokens. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** `host:port` of the Temporal frontend. */
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^\S+:\d+$/, 'must be host:port')
    .optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  /** JSON-RPC address of the EVM chain that checkpoints are anchored on; it may hold a provider's key. */
  ANCHOR_RPC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** A contract that is deployed already; otherwise the publisher deploys its own. */
  ANCHOR_CONTRACT: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address')
    .optional(),
  /** An anchor is made after so many events or so many seconds, and is final under so many blocks. */
  ANCHOR_BATCH_EVENTS: z.coerce.number().int().positive().optional(),
  ANCHOR_INTERVAL_SECONDS: z.coerce.number().int().positive().optional(),
  ANCHOR_CONFIRMATIONS: z.coerce.number().int().positive().optional(),
  /** Which of the workers a worker is, from 0; each has a peer key and a mesh port of its own. */
  WORKER_INDEX: z.coerce.number().int().min(0).max(9_999).default(0),
  /** TCP port of the worker's libp2p peer. */
  MESH_PORT: port.optional(),
  /** Refuses every attestation under a simulated root. */
  TEE_REQUIRE_HARDWARE: flag.default(false),
  /** Enclaves without a job that one creator may have at once. */
  TEE_ENCLAVES_PER_CREATOR: z.coerce.number().int().min(0).max(10_000).default(4),
  /** Launch measurements (hex, separated by commas) of the node images that are believed about the modules they run. */
  TEE_HOST_IMAGES: z
    .string()
    .regex(/^[0-9a-fA-F]{96}(,[0-9a-fA-F]{96})*$/, 'must be SHA-384 measurements in hex, separated by commas')
    .optional(),
  /** Reference throughput of one H200 in TOPS, by which quotes are priced (D1). */
  H200_REFERENCE_TOPS: z.coerce.number().positive().max(1e9).default(DEFAULT_T_REF),
  /** Name of this network: draws of another one count for nothing here. */
  NETWORK_NAME: z.string().min(1).max(64).default('aivillage'),
  /** Length of an epoch of the topology, seconds. */
  TOPOLOGY_EPOCH_SECONDS: z.coerce.number().int().min(2).max(604_800).default(EPOCH_SECONDS),
  /** Length of a round in which nodes observe each other, seconds, and the rounds of a window. */
  OBSERVATION_ROUND_SECONDS: z.coerce.number().int().min(4).max(86_400).default(ROUND_SECONDS),
  OBSERVATION_ROUNDS: z.coerce.number().int().min(2).max(64).default(ROUNDS),
  /** Lets unknown Ed25519 keys enrol themselves as providers. */
  OPEN_PROVIDER_ENROLMENT: flag.default(true),
  /** Uploads that one principal may keep, MiB. */
  ARTIFACT_QUOTA_MB: z.coerce.number().int().positive().max(1_048_576).default(1_024),
  /** Requests per minute of one caller. */
  RATE_LIMIT_ANONYMOUS: perMinute.optional(),
  RATE_LIMIT_AUTHENTICATED: perMinute.optional(),
  RATE_LIMIT_PREMIUM: perMinute.optional(),
  /** Requests per minute of all callers with an identity in one network (IPv4 /24, IPv6 /64); premium ones do not count. */
  RATE_LIMIT_NETWORK: perMinute.optional(),
  /** Addresses and networks (CIDR, commas between) of proxies whose `X-Forwarded-For` is believed. */
  TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((each) => each.trim()))
    .refine(
      (all) => all.every(isNetwork),
      'must be addresses or networks in CIDR notation, separated by commas',
    )
    .optional(),
  /** Serves `POST /v1/fog/zk/prove`, which gets to see secrets: for development only. */
  ZK_DEV_PROVER: flag.default(false),
  /** What tells this process from others of its kind; shown in the health report. */
  INSTANCE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,63}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores')
    .optional(),
  /** How many processes of each kind there should be; else as many as came and did not leave on purpose. */
  EXPECTED_APIS: count.optional(),
  EXPECTED_WORKERS: count.optional(),
  EXPECTED_PROJECTORS: count.optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** What is null has a default that depends on the chain. */
export interface AnchoringSettings {
  /** Null where nothing is anchored. */
  readonly rpcUrl: string | null;
  readonly contract: string | null;
  readonly batchEvents: number | null;
  readonly intervalSeconds: number | null;
  readonly confirmations: number | null;
}

/** Settings as given: what is external has a URL, what is absent is for the local stack to provide. */
export interface Settings {
  readonly home: string;
  readonly profile: 'embedded' | 'production';
  readonly port: number;
  readonly apiUrl: string;
  readonly databaseUrl: string | null;
  readonly temporalAddress: string | null;
  readonly temporalNamespace: string;
  readonly temporalUiUrl: string | null;
  readonly workerIndex: number;
  readonly meshPort: number | null;
  readonly anchoring: AnchoringSettings;
  readonly requireHardware: boolean;
  readonly enclavesPerCreator: number;
  /** Reference throughput of one H200, TOPS. */
  readonly tRef: number;
  readonly hostImages: readonly string[];
  readonly topology: TopologySettings;
  readonly observation: ObservationSettings;
  readonly openProviderEnrolment: boolean;
  readonly rateLimits: {
    readonly anonymous: number;
    readonly authenticated: number;
    readonly premium: number;
    readonly network: number;
  };
  readonly trustedProxies: readonly string[];
  /** Bytes of uploads that one principal may keep. */
  readonly artifactQuotaBytes: number;
  readonly zkDevProver: boolean;
  /** Name of this process among its kind: its number, or its host. */
  readonly instance: string;
  readonly expected: ExpectedProcesses;
  readonly logLevel: string;
}

/** Settings of a process that serves: every server it needs has an address. */
export interface Config extends Settings {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly meshPort: number;
}

/** A setting that is missing or wrong. `message` names each one and its rule, never its value. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Callers at their limit that one network has room for, unless its limit is set. */
const NETWORK_SHARE = 5;

/** Requests per minute: a shared service holds to the guide, a local engine serves its own user's tools. */
const RATE_LIMITS = {
  production: { anonymous: 10, authenticated: 100, premium: 1_000 },
  embedded: { anonymous: 600, authenticated: 6_000, premium: 60_000 },
};

/**
 * Parses the environment.
 * @throws ConfigError naming every variable that breaks its rule.
 */
export const loadSettings = (env: NodeJS.ProcessEnv): Settings => {
  // An empty variable is an unset one, as in a shell or a Compose file.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'),
    );
  }
  const values = parsed.data;
  const limits = RATE_LIMITS[values.AIVILLAGE_PROFILE];
  return {
    home: resolve(values.AIVILLAGE_HOME),
    profile: values.AIVILLAGE_PROFILE,
    port: values.PORT,
    apiUrl: values.PUBLIC_URL ?? `http://127.0.0.1:${values.PORT}`,
    databaseUrl: values.DATABASE_URL ?? null,
    temporalAddress: values.TEMPORAL_ADDRESS ?? null,
    temporalNamespace: values.TEMPORAL_NAMESPACE,
    temporalUiUrl: values.TEMPORAL_UI_URL ?? null,
    workerIndex: values.WORKER_INDEX,
    meshPort: values.MESH_PORT ?? null,
    anchoring: {
      rpcUrl: values.ANCHOR_RPC_URL ?? null,
      contract: values.ANCHOR_CONTRACT ?? null,
      batchEvents: values.ANCHOR_BATCH_EVENTS ?? null,
      intervalSeconds: values.ANCHOR_INTERVAL_SECONDS ?? null,
      confirmations: values.ANCHOR_CONFIRMATIONS ?? null,
    },
    requireHardware: values.TEE_REQUIRE_HARDWARE,
    enclavesPerCreator: values.TEE_ENCLAVES_PER_CREATOR,
    tRef: values.H200_REFERENCE_TOPS,
    hostImages: values.TEE_HOST_IMAGES?.toLowerCase().split(',') ?? [],
    topology: { network: values.NETWORK_NAME, epochSeconds: values.TOPOLOGY_EPOCH_SECONDS },
    observation: {
      network: values.NETWORK_NAME,
      roundSeconds: values.OBSERVATION_ROUND_SECONDS,
      rounds: values.OBSERVATION_ROUNDS,
    },
    openProviderEnrolment: values.OPEN_PROVIDER_ENROLMENT,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    rateLimits: {
      network:
        values.RATE_LIMIT_NETWORK ??
        NETWORK_SHARE * (values.RATE_LIMIT_AUTHENTICATED ?? limits.authenticated),
      anonymous: values.RATE_LIMIT_ANONYMOUS ?? limits.anonymous,
      authenticated: values.RATE_LIMIT_AUTHENTICATED ?? limits.authenticated,
      premium: values.RATE_LIMIT_PREMIUM ?? limits.premium,
    },
    artifactQuotaBytes: values.ARTIFACT_QUOTA_MB * 1024 * 1024,
    zkDevProver: values.ZK_DEV_PROVER,
    instance: values.INSTANCE_NAME ?? (values.AIVILLAGE_PROFILE === 'production' ? hostname() : '0'),
    expected: {
      api: values.EXPECTED_APIS ?? null,
      worker: values.EXPECTED_WORKERS ?? null,
      projector: values.EXPECTED_PROJECTORS ?? null,
    },
    logLevel: values.LOG_LEVEL,
  };
};

/**
 * The settings of a serving process or a tool. What the environment leaves out is taken from the local stack that
 * `npm start` has set up in the data directory.
 * @throws ConfigError when a server has no address either way.
 */
export const loadConfig = (env: NodeJS.ProcessEnv): Config => {
  const settings = loadSettings(env);
  const local = settings.profile === 'embedded' ? readLocalStack(settings.home) : null;
  const databaseUrl = settings.databaseUrl ?? local?.databaseUrl;
  const temporalAddress = settings.temporalAddress ?? local?.temporalAddress;
  if (local !== null && settings.workerIndex > 0 && settings.meshPort === null) {
    throw new ConfigError('MESH_PORT: must be set where WORKER_INDEX is not 0, for workers of one machine');
  }
  const meshPort = settings.meshPort ?? local?.ports.mesh ?? DEFAULT_MESH_PORT;
  if (databaseUrl === undefined || temporalAddress === undefined) {
    throw new ConfigError(
      `DATABASE_URL and TEMPORAL_ADDRESS must be set, or ${settings.home} must hold a local stack (npm start)`,
    );
  }
  return { ...settings, databaseUrl, temporalAddress, meshPort };
};
