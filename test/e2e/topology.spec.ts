import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import type { SelectionJson } from '../../domain/topology/selection-json.ts';
import { verifyNeighbours } from '../../infra/verify/index.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { expectProblem } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { type GuestNode, startGuestNode } from './support/guest-node.ts';
import { type Caller, keyHolder, nodeKey, signIn, signInOperator } from './support/principals.ts';

/** The six local nodes, of which each has the five others as neighbours. */
const LOCAL_NODES = 6;

// A stack of its own: a node that another file adds before the first epoch would be a candidate.
let stack: Stack;
let home: string;
let folder: string;
let operator: Caller;
let aws: Caller;
let azure: Caller;
let nodeId: string;
let guest: GuestNode | null = null;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-topology-home-'));
  stack = await startStack(home);
  folder = await mkdtemp(join(tmpdir(), 'aivillage-topology-'));
  operator = await signInOperator(stack);
  const [awsKey, azureKey] = [await nodeKey(stack, 'aws'), await nodeKey(stack, 'azure')];
  aws = await signIn(stack, awsKey, 'provider');
  azure = await signIn(stack, azureKey, 'provider');
  nodeId = providerIdOf(awsKey.publicKey);
});
afterAll(async () => {
  await guest?.stop();
  await stack?.stop();
  await removeHome(home);
  await rm(folder, { recursive: true, force: true });
});

const select = (caller: Caller, node_id: string, change: object = {}) =>
  caller.rest.post<SelectionJson>('/v1/fog/vrf/select', { node_id, target_neighbors: 8, ...change });
const verify = (selection: object) =>
  azure.rest.post<{ valid: boolean; reason?: string; epoch_known: boolean }>('/v1/fog/vrf/verify', selection);

test('R93: the first epoch begins soon after the first nodes are there, and its mesh is whole', async () => {
  const figures = await vi.waitFor(
    async () => {
      const { status, body } = await operator.rest.get<Record<string, unknown>>('/v1/fog/vrf/topology');
      expect(status).toBe(200);
      expect(body['drawn']).toBe(LOCAL_NODES);
      return body;
    },
    { timeout: 120_000, interval: 500 },
  );
  expect(figures).toMatchObject({ nodes: LOCAL_NODES, average_degree: 5, diameter: 1, k_core: 5 });
});

test('J1.5: a node draws its neighbours once an epoch, and another verifies it', async () => {
  const first = await select(aws, nodeId);
  expect(first.status).toBe(200);
  const selection = first.body;
  expect(selection).toMatchObject({ node_id: nodeId, candidate_count: LOCAL_NODES, takes_all: true });
  const names = selection.neighbors.map(({ node_id }) => node_id);
  expect(new Set(names).size).toBe(LOCAL_NODES - 1);
  expect(names).not.toContain(nodeId);
  expect((await select(aws, nodeId)).body).toEqual(selection);
  expect((await select(operator, nodeId)).body).toEqual(selection);

  expect((await verify(selection)).body).toEqual({ valid: true, epoch_known: true });
  expect(verifyNeighbours(selection)).toMatchObject({ valid: true, nodeId });

  const neighbors = await aws.rest.get<{ neighbors: string[]; epoch: number; expires_at: string }>(
    '/v1/fog/vrf/neighbors',
  );
  expect(neighbors).toMatchObject({
    status: 200,
    body: {
      node_id: nodeId,
      epoch: selection.epoch,
      neighbors: names,
      connectable: names.toSorted(),
    },
  });
  expect(Date.parse(neighbors.body.expires_at)).toBeGreaterThan(Date.now());
});

test('neighbours are connected, as each of them says itself', async () => {
  const [mine] = (await select(aws, nodeId)).body.neighbors;
  for (const node_id of [nodeId, mine?.node_id ?? '']) {
    await vi.waitFor(
      async () => {
        const { body } = await operator.rest.get<{ connectable: string[]; connected: string[] }>(
          `/v1/fog/vrf/neighbors?node_id=${node_id}`,
        );
        expect(body.connected).toHaveLength(LOCAL_NODES - 1);
        expect(body.connected).toEqual(body.connectable);
      },
      { timeout: 60_000, interval: 500 },
    );
  }
});

test('J1.5: a selection with any field changed is not valid, with the reason', async () => {
  const { body: selection } = await select(aws, nodeId);
  const [first, ...others] = selection.neighbors;
  const zeros = '0'.repeat(64);
  const changes: Partial<SelectionJson>[] = [
    { node_id: first?.node_id ?? '' },
    { public_key: zeros },
    { network: 'other' },
    { epoch: selection.epoch + 1 },
    { epoch: selection.epoch - 1 },
    { beacon: zeros },
    { candidate_root: zeros },
    { candidate_count: LOCAL_NODES + 1 },
    { takes_all: false },
    { neighbors: others },
    { neighbors: [...others, first as (typeof others)[number]] },
    { vrf_output: selection.vrf_output.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
    { vrf_proof: selection.vrf_proof.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
    { vrf_proof: 'not hex' },
  ];
  for (const change of changes) {
    const { status, body } = await verify({ ...selection, ...change });
    expect({ change, status, valid: body.valid }).toEqual({ change, status: 200, valid: false });
    expect(body.reason).toBeTypeOf('string');
  }
  expectProblem(await verify({ ...selection, epoch: 'now' }), {
    status: 422,
    code: 'INVALID_REQUEST',
    errors: [{ field: 'epoch', rule: expect.any(String) as string }],
  });
});

test('R98: the command line verifies it from a file, without the engine', async () => {
  const { body: selection } = await select(aws, nodeId);
  const file = join(folder, 'selection.json');
  await writeFile(file, JSON.stringify(selection));
  const nowhere = join(folder, 'no-stack');
  expect(await runCli(nowhere, ['vrf', 'verify', file, '--json'])).toMatchObject({ code: 0, stderr: '' });
  await writeFile(file, JSON.stringify({ ...selection, beacon: '0'.repeat(64) }));
  expect(await runCli(nowhere, ['vrf', 'verify', file])).toMatchObject({
    code: 1,
    stdout: 'Selection: NOT valid (BAD_VRF_PROOF)\n',
  });
});

test('only owners and offices see a draw, no caller chooses how, and a late node waits its turn', async () => {
  const missing = { status: 404, code: 'RESOURCE_NOT_FOUND' } as const;
  expectProblem(await select(azure, nodeId), missing);
  expectProblem(await azure.rest.get(`/v1/fog/vrf/neighbors?node_id=${nodeId}`), missing);
  expect((await operator.rest.get(`/v1/fog/vrf/neighbors?node_id=${nodeId}`)).status).toBe(200);
  for (const [change, field] of [
    [{ target_neighbors: 7 }, 'target_neighbors'],
    [{ selection_criteria: { min_reputation: 0.5 } }, 'selection_criteria'],
    [{ force_reselection: true }, 'force_reselection'],
  ] as const) {
    expectProblem(await select(aws, nodeId, change), {
      status: 422,
      code: 'INVALID_REQUEST',
      errors: [{ field: expect.stringContaining(field) as string, rule: expect.any(String) as string }],
    });
  }
  const holder = keyHolder();
  const owner = await signIn(stack, holder, 'provider');
  guest = await startGuestNode(stack, 'late', holder, owner);
  expectProblem(await select(owner, guest.providerId), { status: 409, code: 'CONFLICT' });
  expectProblem(await owner.rest.get('/v1/fog/vrf/neighbors'), missing);
});

test('R120: the audit follows the epochs from the log alone, and finds what runs and what is shown the same', async () => {
  const { code, stdout } = await runCli(stack.home, ['audit', 'check', '--json']);
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0 });
  const { body } = await operator.rest.get<{ components: Record<string, { status: string }> }>(
    '/v1/system/health',
  );
  expect(body.components['vrf_topology']).toMatchObject({ status: 'ok' });
});
