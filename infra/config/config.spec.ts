import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError, loadConfig, loadSettings } from './config.ts';
import { localFiles } from './local-stack.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'aivillage-config-'));
});
afterAll(() => rmSync(home, { recursive: true }));

const external = {
  ANCHOR_RPC_URL: 'https://chain.example/v3/secret-of-a-provider',
  DATABASE_URL: 'postgres://user:hunter2@db.internal:5432/aivillage?sslkey=secret',
  TEMPORAL_ADDRESS: 'temporal:7233',
};

test('the defaults are those of the embedded profile on port 8000', () => {
  expect(loadSettings({})).toMatchObject({
    profile: 'embedded',
    port: 8000,
    apiUrl: 'http://127.0.0.1:8000',
    databaseUrl: null,
    requireHardware: false,
    temporalNamespace: 'default',
  });
  expect(loadSettings({ PORT: '', AIVILLAGE_HOME: 'x' }).port).toBe(8000);
});

test('a process is known by its number here and by its host elsewhere, unless it is given a name', () => {
  expect(loadSettings({}).instance).toBe('0');
  expect(loadSettings({ AIVILLAGE_PROFILE: 'production' }).instance).toBe(hostname());
  expect(loadSettings({ INSTANCE_NAME: 'worker-a.1' }).instance).toBe('worker-a.1');
  expect(capture(() => loadSettings({ INSTANCE_NAME: 'a b' })).message).toContain('INSTANCE_NAME: ');
  expect(loadSettings({ EXPECTED_WORKERS: '2' }).expected).toEqual({ worker: 2, api: null, projector: null });
});

test('R168: a shared service limits callers to 10, 100 and 1000 requests a minute unless told otherwise', () => {
  const production = { AIVILLAGE_PROFILE: 'production' };
  expect(loadSettings(production).rateLimits).toEqual({
    anonymous: 10,
    authenticated: 100,
    premium: 1000,
    network: 500,
  });
  const changed = { ...production, RATE_LIMIT_AUTHENTICATED: '7' };
  expect(loadSettings(changed).rateLimits).toMatchObject({ authenticated: 7, network: 35 });
  expect(loadSettings({ ...changed, RATE_LIMIT_NETWORK: '8' }).rateLimits.network).toBe(8);
});

test('every broken setting is named with its rule, and no value is shown', () => {
  const broken = {
    PORT: '99999',
    DATABASE_URL: 'mysql://root:hunter2@x/y',
    TEMPORAL_ADDRESS: 'nowhere',
    TEE_REQUIRE_HARDWARE: 'maybe',
    WORKER_INDEX: '-1',
    TRUSTED_PROXIES: '192.0.2.1, proxy.example',
  };
  const error = capture(() => loadSettings(broken));
  expect(error).toBeInstanceOf(ConfigError);
  for (const name of Object.keys(broken)) expect(error.message).toContain(`${name}: `);
  expect(error.message).not.toContain('hunter2');
});

test('addresses come from the environment, else from the local stack of the data directory, else fail', () => {
  const env = { AIVILLAGE_HOME: home };
  expect(loadConfig({ ...env, ...external })).toMatchObject({
    temporalAddress: 'temporal:7233',
    meshPort: 4001,
  });
  expect(capture(() => loadConfig(env)).message).toContain('DATABASE_URL');

  const ports = {
    postgres: 1,
    temporal: 2,
    temporalUi: 3,
    temporalHttp: 4,
    temporalMetrics: 5,
    mesh: 6,
    anvil: 7,
  };
  mkdirSync(join(home, 'keys'));
  writeFileSync(localFiles(home).ports, JSON.stringify(ports));
  writeFileSync(localFiles(home).postgresPassword, 'p@ss\n');
  expect(loadConfig(env)).toMatchObject({
    databaseUrl: 'postgres://postgres:p%40ss@127.0.0.1:1/aivillage',
    temporalAddress: '127.0.0.1:2',
    meshPort: 6,
  });
  expect(() => loadConfig({ ...env, AIVILLAGE_PROFILE: 'production' })).toThrow(ConfigError);
  expect(capture(() => loadConfig({ ...env, WORKER_INDEX: '1' })).message).toContain('MESH_PORT');
  expect(loadConfig({ ...env, WORKER_INDEX: '1', MESH_PORT: '8' })).toMatchObject({
    workerIndex: 1,
    meshPort: 8,
  });

  writeFileSync(localFiles(home).ports, '{"postgres":');
  expect(() => loadConfig(env)).toThrow(ConfigError);
});

const capture = (action: () => unknown): Error => {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};
