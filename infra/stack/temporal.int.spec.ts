import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { temporalAddress } from '../../test/support/temporal.ts';
import {
  allocateTemporalPorts,
  STATE_ATTRIBUTE,
  startTemporal,
  type TemporalPorts,
  type TemporalServer,
} from './temporal.ts';

test('one Temporal server per run knows the namespace and the state attribute', async () => {
  const [address, again] = await Promise.all([temporalAddress(), temporalAddress()]);
  expect(again).toBe(address);
  const connection = await Connection.connect({ address });
  const attributes = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(Object.keys(attributes.customAttributes)).toContain(STATE_ATTRIBUTE);
  await connection.close();
});

test('a server that keeps a file commits by one write ahead', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'aivillage-temporal-'));
  const file = join(directory, 'temporal.db');
  const logFile = join(directory, 'temporal.log');
  const server = await startTemporal({
    env: process.env,
    report: () => undefined,
    file,
    logFile,
    ui: false,
  });
  try {
    expect((await stat(`${file}-wal`)).size).toBeGreaterThan(0);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

describe('what a page in a browser can reach of it', () => {
  let directory: string;
  let ports: TemporalPorts;
  let server: TemporalServer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'aivillage-temporal-'));
    ports = await allocateTemporalPorts();
    const logFile = join(directory, 'temporal.log');
    server = await startTemporal({
      env: process.env,
      report: () => undefined,
      file: null,
      logFile,
      ui: false,
      ports,
    });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Status of a request to the HTTP API, with the headers that a browser would send. */
  const statusOf = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body = '',
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: ports.http, method, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject);
      sent.end(body);
    });

  const workflow = JSON.stringify({
    workflowType: { name: 'job' },
    taskQueue: { name: 'aivillage' },
    workflowId: 'job-of-a-page',
  });
  const START = '/api/v1/namespaces/default/workflows/job-of-a-page';

  it.each([
    ['a cross-site POST', 'text/plain', () => `127.0.0.1:${ports.http}`],
    ['a cross-site POST to localhost', 'text/plain', () => `localhost:${ports.http}`],
    ['DNS rebinding', 'application/json', () => `rebound.example:${ports.http}`],
  ])('refuses %s', async (_, type, host) => {
    const headers = { Host: host(), Origin: 'https://page.example', 'Content-Type': type };
    expect(await statusOf('POST', START, headers, workflow)).toBe(403);
    expect(await statusOf('GET', '/api/v1/namespaces/default/workflows', headers)).toBe(403);
  });

  it('takes no Nexus operation', async () => {
    const path = '/namespaces/default/task-queues/aivillage/nexus-services/any/operation';
    expect(await statusOf('POST', path, { Host: `127.0.0.1:${ports.http}` }, '{}')).toBe(404);
  });

  it('shows no UI unless asked for', async () => {
    await expect(fetch(`http://127.0.0.1:${ports.ui}/`)).rejects.toThrow();
  });
});
