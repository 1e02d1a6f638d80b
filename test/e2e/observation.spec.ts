import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { windowsAround } from '../../domain/observation/window.ts';
import type { AvailabilityProof } from '../../domain/proof/availability-record.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { verifyAvailabilityProof } from '../../infra/verify/index.ts';
import { runCli } from '../support/cli.ts';
import { removeHome } from '../support/home.ts';
import { expectProblem, sha256Of } from '../support/rest.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { runToEnd, SMALL_JOB } from './support/jobs.ts';
import { type Caller, nodeKey, signIn, signInOperator } from './support/principals.ts';

const NODES = ['aws', 'azure', 'gcp', 'edge', 'datacenter', 'hybrid'];
const PATIENCE = { timeout: 150_000, interval: 1_000 };

// A stack of its own: its rounds are short.
let stack: Stack;
let home: string;
let operator: Caller;
/** Two nodes that have hosted a job. */
let hosts: readonly [string, string];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aivillage-observation-home-'));
  const env = { OBSERVATION_ROUND_SECONDS: '5', OBSERVATION_ROUNDS: '3' };
  stack = await startStack(home, { env });
  operator = await signInOperator(stack);
  const module = await readFile(new URL('../../infra/workloads/word-count.wasm', import.meta.url));
  await operator.rest.store(module, 'application/wasm');
  const job = await runToEnd(operator.rest, { ...SMALL_JOB, tier: 'silver', code_hash: sha256Of(module) });
  const [first, second] = job.members.map(({ node_id }) => node_id);
  hosts = [first ?? '', second ?? ''];
});
afterAll(async () => {
  await stack?.stop();
  await removeHome(home);
});

interface Generated {
  readonly proof_id: string;
  readonly proof_data: { readonly witness: AvailabilityProof };
  readonly judgement: { readonly verdict: string };
}

const prove = (provider_id: string, caller = operator, more: object = {}) =>
  caller.rest.post<Generated>('/v1/fog/proofs/generate', {
    proof_type: 'proof_of_availability',
    provider_id,
    ...more,
  });

/** Name of a local node by its provider id. */
const nameOf = async (providerId: string): Promise<string> => {
  for (const name of NODES) {
    if (providerIdOf((await nodeKey(stack, name)).publicKey) === providerId) return name;
  }
  throw new Error(`${providerId} is no local node`);
};

/** The first proof of a window that begins after `since`. */
const provenAfter = (providerId: string, since: number, verdict: string): Promise<Generated> =>
  vi.waitFor(async () => {
    const { status, body } = await prove(providerId);
    expect(status).toBe(201);
    expect(Date.parse(body.proof_data.witness.record.terms.from)).toBeGreaterThan(since);
    expect(body.judgement.verdict).toBe(verdict);
    return body;
  }, PATIENCE);

test('a node that keeps its chunks is available, by the word of its neighbours and of nobody else', async () => {
  const [providerId] = hosts;
  const { proof_id, proof_data } = await provenAfter(providerId, 0, 'available');
  const { terms } = proof_data.witness.record;
  expect(terms.observers.length).toBeGreaterThanOrEqual(2);
  expect(terms.observers.map(({ id }) => id)).not.toContain(providerId);
  const { body: drawn } = await operator.rest.get<{ connectable: string[] }>(
    `/v1/fog/vrf/neighbors?node_id=${providerId}`,
  );
  for (const { id } of terms.observers) expect(drawn.connectable).toContain(id);

  const { body: verified } = await operator.rest.post<object>('/v1/fog/proofs/verify', { proof_id });
  expect(verified).toMatchObject({ valid: true, judgement: { verdict: 'available', failed: 0 } });
  expect(verifyAvailabilityProof(proof_data.witness, { now: new Date().toISOString() })).toMatchObject({
    valid: true,
    judgement: { verdict: 'available' },
  });
});

test('a node whose file is gone fails, and its owner cannot prove otherwise', async () => {
  const [, providerId] = hosts;
  const name = await nameOf(providerId);
  const available = await provenAfter(providerId, 0, 'available');
  const { artifact } = available.proof_data.witness.record.terms;
  const removedAt = Date.now();
  await rm(join(home, 'nodes', name, 'artifacts', artifact));
  const owner = await signIn(stack, await nodeKey(stack, name), 'provider');
  const failed = await provenAfter(providerId, removedAt, 'unavailable');
  const { from } = failed.proof_data.witness.record.terms;
  expect((await prove(providerId, owner, { from })).body.judgement.verdict).toBe('unavailable');
  const { body } = await operator.rest.post<object>('/v1/fog/proofs/verify', { proof_id: failed.proof_id });
  expect(body).toMatchObject({ valid: true, judgement: { verdict: 'unavailable', passed: 0 } });
});

test('what is being observed is shown to the owner and to offices, and to nobody else', async () => {
  const [providerId, other] = hosts;
  const owner = await signIn(stack, await nodeKey(stack, await nameOf(providerId)), 'provider');
  const show = (caller: Caller, id: string) =>
    caller.rest.get<{ rounds: { beacon: { source: string }; observers: { finding: string | null }[] }[] }>(
      `/v1/fog/proofs/observations?node_id=${id}&limit=5`,
    );
  expectProblem(await show(owner, other), { status: 404, code: 'RESOURCE_NOT_FOUND' });
  for (const caller of [owner, operator]) {
    const { status, body } = await show(caller, providerId);
    expect(status).toBe(200);
    expect(body.rounds).toHaveLength(5);
    for (const { beacon } of body.rounds) expect(['anchored', 'signed']).toContain(beacon.source);
    expect(body.rounds.at(-1)?.observers.map(({ finding }) => finding)).toContain('answered');
  }
});

test('bad requests are refused by field, and what nobody observed is not found', async () => {
  const [providerId] = hosts;
  const unknown = `provider-${'0'.repeat(26)}`;
  expectProblem(await prove(unknown), {
    status: 404,
    code: 'RESOURCE_NOT_FOUND',
    errors: [{ field: 'provider_id', rule: expect.any(String) as string }],
  });
  expectProblem(await prove(providerId, operator, { from: '2020-01-01T00:00:00.000Z' }), {
    status: 404,
    code: 'RESOURCE_NOT_FOUND',
    errors: [{ field: 'from', rule: expect.any(String) as string }],
  });
  const invalid = (change: object, field: string) => async () =>
    expectProblem(
      await operator.rest.post('/v1/fog/proofs/generate', { proof_type: 'proof_of_availability', ...change }),
      {
        status: 422,
        code: 'INVALID_REQUEST',
        errors: [{ field, rule: expect.any(String) as string }],
      },
    );
  await invalid({}, 'provider_id')();
  await invalid({ proof_type: 'proof_of_sla_compliance', provider_id: providerId }, 'evidence')();
  await invalid({ provider_id: providerId, evidence: {} }, 'provider_id')();
});

test('each round is drawn from a head that covers its opening, after the terms; the log audits whole', async () => {
  const proven = await provenAfter(hosts[0], 0, 'available');
  const { record, rounds } = proven.proof_data.witness;
  const { everySeconds, from } = record.terms;
  const settings = { network: 'aivillage', roundSeconds: everySeconds, rounds: record.terms.rounds };
  const stream = windowsAround(settings, from)[0]?.stream;
  const { body } = await operator.rest.get<{ events: { type: string; position: string }[] }>(
    `/v1/events?stream=${stream}`,
  );
  const [opened, ...roundsOpened] = body.events;
  expect(opened?.type).toBe('observation.opened');
  expect(roundsOpened.map(({ type }) => type)).toEqual(rounds.map(() => 'observation.round-opened'));
  for (const [index, { beacon }] of rounds.entries()) {
    expect(BigInt(beacon.size)).toBeGreaterThanOrEqual(BigInt(roundsOpened[index]?.position ?? 'none'));
  }
  const { code, stdout } = await runCli(stack.home, ['audit', 'check', '--json']);
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0 });
});
