import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMeshActivities } from '../../activities/mesh.ts';
import type { NodeGateway } from '../../domain/ports/node-gateway.ts';
import { COMMAND_KEYS, sealedWorker } from '../../test/support/command-keys.ts';
import { temporalAddress } from '../../test/support/temporal.ts';
import { workflowBundle } from './bundle.ts';
import { createRemoteGateway } from './remote-gateway.ts';
import { clientConverter } from './sealed-payloads.ts';

const taskQueue = `test-${randomBytes(6).toString('hex')}`;
const asked: unknown[] = [];
let worker: Worker;
let running: Promise<void>;
let native: NativeConnection;
let connection: Connection;
let client: Client;

/** A mesh with one node, which creates enclaves and refuses everything else. */
const gateway: Pick<NodeGateway, 'request'> = {
  request: async (providerId, request) => {
    asked.push({ providerId, request });
    // The reply belongs to the request's type, which the port's generic cannot see here.
    if (request.type === 'create-enclave') return { type: 'enclave-created', enclaveKey: 'ab' } as never;
    return { type: 'refused', code: 'RESOURCE_NOT_FOUND', message: 'no such enclave' };
  },
};

beforeAll(async () => {
  const address = await temporalAddress();
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  native = await NativeConnection.connect({ address });
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: { codePath: await workflowBundle('.aivillage/test-bundles') },
    ...sealedWorker,
    activities: createMeshActivities({ gateway }),
  });
  running = worker.run();
  connection = await Connection.connect({ address });
  client = new Client({ connection, dataConverter: clientConverter(COMMAND_KEYS) });
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await connection.close();
  await native.close();
});

describe('the remote gateway', () => {
  it('carries request and reply through the worker', async () => {
    const remote = createRemoteGateway({ client, taskQueue });
    const request = {
      type: 'create-enclave',
      enclaveId: 'enclave-1',
      platform: 'amd_sev_snp',
      codeHash: 'ab',
      config: { memoryMb: 64, cpuCores: 1, allowDebug: false },
    } as const;
    const reply = await remote.request('provider-1', request, { timeoutMs: 5000 });
    expect(reply).toEqual({ type: 'enclave-created', enclaveKey: 'ab' });
    expect(asked).toEqual([{ providerId: 'provider-1', request }]);
    const refused = await remote.request(
      'provider-1',
      { type: 'attest-enclave', enclaveId: 'enclave-2', nonce: '00' },
      { timeoutMs: 5000 },
    );
    expect(refused).toMatchObject({ type: 'refused', code: 'RESOURCE_NOT_FOUND' });
  });

  it('calls a node out of reach when no worker takes the question', async () => {
    const remote = createRemoteGateway({ client, taskQueue: `${taskQueue}-nobody` });
    const reply = await remote.request('p', { type: 'destroy-enclave', enclaveId: 'e' }, { timeoutMs: 100 });
    expect(reply).toMatchObject({ type: 'unreachable' });
  });
});
