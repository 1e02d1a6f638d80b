import { beforeAll, expect, test } from 'vitest';
import type { SlaTerms } from '../../domain/proof/sla-record.ts';
import { providerIdOf } from '../../domain/provider/provider-id.ts';
import { slaProofOf } from '../../infra/verify/observed.fixture.ts';
import { runCli } from '../support/cli.ts';
import { runToEnd, SMALL_JOB, storeModule } from './support/jobs.ts';
import { type Caller, nodeKey, signIn, signInOperator } from './support/principals.ts';
import { type SharedStack, sharedStack } from './support/shared-stack.ts';
import { accountOf } from './support/views.ts';

const LOCAL_NODES = ['aws', 'azure', 'datacenter', 'edge', 'gcp', 'hybrid'];
/** The shortest window in which being down all the time excludes a target of a half, in beats of a second. */
const BEATS = 5;
/** A loop uses up the work declared here in several seconds at least, and well before its time is over. */
const LIMITS = { required_tops: 500, duration_seconds: 60 };

let stack: SharedStack;
let operator: Caller;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
});

test('J2.9: a proven breach gives the fee of a job back, once, and the audit agrees', async () => {
  const code_hash = await storeModule(operator.rest, 'loop');
  const job = await runToEnd(operator.rest, { ...SMALL_JOB, ...LIMITS, code_hash });
  // Ended by its fuel limit, which its submitter pays for all the same.
  const [member] = job.members;
  const paid = BigInt(member?.paid_micro ?? 0);
  expect(paid).toBeGreaterThan(0n);

  const keys = await Promise.all(LOCAL_NODES.map((name) => nodeKey(stack, name)));
  const node = keys.find(({ publicKey }) => providerIdOf(publicKey) === member?.node_id);
  if (!node) throw new Error(`${member?.node_id} is no local node`);
  const watching = keys.filter((key) => key !== node).slice(0, 3);
  const terms: SlaTerms = {
    providerId: providerIdOf(node.publicKey),
    providerKey: node.publicKey,
    jobId: job.job_id,
    availability: 0.5,
    periodSeconds: 1,
    from: job.started_at as string,
    slots: BEATS,
    observers: watching.map(({ publicKey: key }) => ({ id: providerIdOf(key), key })),
    quorum: 2,
    creditOn: 'breach-proven',
  };
  const decoder = new TextDecoder();
  const evidence = slaProofOf(
    watching.map(() => [{ state: 'down', count: BEATS }] as const),
    terms,
    watching.map(({ publicKey: key, sign }) => ({ key, sign: (bytes) => sign(decoder.decode(bytes)) })),
  );
  const owner = await signIn(stack, node);
  const [before, owned] = [await accountOf(operator), await accountOf(owner)];
  const send = () =>
    owner.rest.post<{ position: string }>('/v1/fog/proofs/generate', {
      proof_type: 'proof_of_sla_compliance',
      task_id: job.job_id,
      evidence,
    });
  const first = await send();
  expect(first).toMatchObject({
    status: 201,
    body: {
      judgement: { verdict: 'breach-proven', creditPercent: 100 },
      credit: { due: String(paid), paid: String(paid), outstanding: '0' },
    },
  });
  expect((await send()).body).toEqual(first.body);
  const [after, left] = [await accountOf(operator), await accountOf(owner)];
  expect(BigInt(after.available) - BigInt(before.available)).toBe(paid);
  expect(BigInt(owned.available) - BigInt(left.available)).toBe(paid);
  expect(after.total).toBe('0');
  expect(
    (await operator.rest.post('/v1/fog/proofs/verify', { proof_id: evidence.proofId })).body,
  ).toMatchObject({
    valid: true,
    credit: { paid: String(paid) },
  });

  await expect
    .poll(async () => (await runCli(stack.home, ['audit', 'check'])).stdout, { timeout: 60_000 })
    .toMatch(
      new RegExp(`read models +ok\\nledger +sum 0 micro-units\\nSLA credits +${paid} micro-units, 0 out`),
    );
});
