import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toMicro, ZERO } from '../../domain/money.ts';
import { requiredStake } from '../../domain/provider/stake.ts';
import { createRest, expectProblem } from '../support/rest.ts';
import { GUEST_PLACE, type GuestNode, startGuestNode } from './support/guest-node.ts';
import { type Caller, keyHolder, signIn, signInOperator } from './support/principals.ts';
import { type SharedStack, sharedStack } from './support/shared-stack.ts';
import { accountOf } from './support/views.ts';

const key = keyHolder();

let stack: SharedStack;
let operator: Caller;
let owner: Caller;
let node: GuestNode;
let providerId: string;

beforeAll(async () => {
  stack = await sharedStack();
  operator = await signInOperator(stack);
  owner = await signIn(stack, key, 'provider');
});
afterAll(() => node?.stop());

test('J1.1: only the holder of the key signs in, once for each challenge, and for a role it may have', async () => {
  const rest = createRest(stack.apiUrl);
  const newcomer = keyHolder();
  const { publicKey: public_key } = newcomer;
  const ask = () => rest.post<{ challenge: string }>('/v1/auth/token', { public_key, role: 'provider' });
  const answer = (challenge: string, signature: string) =>
    rest.post('/v1/auth/token', { public_key, challenge, signature });

  const { challenge } = (await ask()).body;
  const denied = { status: 401, code: 'AUTHENTICATION_FAILED' } as const;
  expectProblem(await answer(challenge, keyHolder().sign(challenge)), denied);
  expect(await answer(challenge, newcomer.sign(challenge))).toMatchObject({
    status: 200,
    body: { token_type: 'Bearer', roles: ['provider'] },
  });
  expectProblem(await answer(challenge, newcomer.sign(challenge)), denied);
  const invented = 'aivillage-sign-in-v1:2030-01-01T00:00:00.000Z:nobody-issued-it';
  expectProblem(await answer(invented, newcomer.sign(invented)), denied);
  expectProblem(await rest.post('/v1/auth/token', { public_key, role: 'submitter' }), {
    status: 403,
    code: 'AUTHORIZATION_FAILED',
    errors: [{ field: 'role', rule: 'granted to you: submitter is not' }],
  });
});

test('J1.2: a provider is registered once, by its owner, with nothing known of it', async () => {
  const { infrastructureType: infrastructure_type, asn, region, tops } = GUEST_PLACE;
  const body = { owner: owner.id, infrastructure_type, asn, region, tops, pubkey: key.publicKey };
  const register = (change: object) =>
    owner.rest.post<{ provider_id: string }>('/v1/providers', { ...body, ...change });

  expectProblem(await register({ infrastructure_type: 'moon_base' }), {
    status: 422,
    code: 'INVALID_REQUEST',
    errors: [{ field: 'infrastructure_type', rule: expect.stringContaining('edge_devices') as string }],
  });
  expectProblem(await register({ owner: operator.id }), {
    status: 403,
    code: 'AUTHORIZATION_FAILED',
    errors: [{ field: 'owner', rule: 'your own principal id' }],
  });
  const registered = await register({});
  expect(registered).toMatchObject({
    status: 201,
    body: { state: 'probation', trust: { alpha: 1, beta: 1, uncertainty: 1 } },
  });
  providerId = registered.body.provider_id;
  expectProblem(await register({}), {
    status: 409,
    code: 'CONFLICT',
    errors: [{ field: 'pubkey', rule: 'not registered before' }],
  });
});

test('J1.3: its host attests over a nonce that works once', async () => {
  const attest = (body: object) => owner.rest.post('/v1/fog/tee/attest', body);
  const nonce = () => randomBytes(32).toString('hex');
  // Not listed before its host has attested, and nobody can attest for a host that is not there.
  expectProblem(await attest({ platform: 'amd_sev_snp', nonce: nonce() }), {
    status: 503,
    code: 'TEE_UNAVAILABLE',
  });
  node = await startGuestNode(stack, 'newcomer', key, owner, ZERO);
  expect(node.providerId).toBe(providerId);

  const once = nonce();
  expect(await attest({ platform: 'amd_sev_snp', nonce: once })).toMatchObject({
    status: 200,
    body: { status: 'verified', label: 'simulated', expires_at: expect.any(String) as string },
  });
  expectProblem(await attest({ platform: 'amd_sev_snp', nonce: once }), {
    status: 409,
    code: 'CONFLICT',
    errors: [{ field: 'nonce', rule: 'never used before' }],
  });
  expectProblem(await attest({ platform: 'abacus', nonce: nonce() }), {
    status: 422,
    code: 'UNSUPPORTED_PLATFORM',
    errors: [{ field: 'platform', rule: expect.stringContaining('amd_sev_snp') as string }],
  });
  expectProblem(await attest({ platform: 'amd_sev_snp', nonce: nonce(), allow_simulated: false }), {
    status: 422,
    code: 'ATTESTATION_FAILED',
  });
});

test('J1.6: it locks stake that it has, and starts with a trust that is uncertain', async () => {
  const stake = (amount: string) => owner.rest.post(`/v1/providers/${providerId}/stake`, { amount });
  expectProblem(await stake('1000'), { status: 402, code: 'INSUFFICIENT_BALANCE' });
  const credit = { account_id: owner.id, amount: '1000', reference: `stake-${providerId}` };
  expect(await operator.rest.post('/v1/ledger/credit', credit)).toMatchObject({
    status: 201,
    body: { balance: '1000' },
  });
  expect(await stake('1000')).toMatchObject({ status: 200, body: { stake: '1000', probation_share: 0.05 } });
  expect(await accountOf(owner)).toMatchObject({ available: '0', stake: '1000', total: '0' });
  expect(await owner.rest.get(`/v1/fog/reputation/score?entity_id=${providerId}`)).toMatchObject({
    status: 200,
    body: {
      alpha: 1,
      beta: 1,
      mean: 0.5,
      uncertainty: 1,
      flagged: true,
      tier: 'probation',
      probation_share: 0.05,
    },
  });
});

test('settled 42: it bids once it has staked what its capacity takes, and no longer when it asks the stake back', async () => {
  const quote = { tier: 'bronze', required_tops: 10, utilization: 0.8, duration_seconds: 600 };
  const quoted = await operator.rest.post<{ quote_id: string }>('/v1/fog/pricing/quote', quote);
  // No local node works for so little: it ends without an award.
  const opened = await operator.rest.post<{ auction_id: string }>('/v1/fog/pricing/auction', {
    quote_id: quoted.body.quote_id,
    auction_seconds: 30,
    max_bid: '100',
  });
  expect(opened.status).toBe(201);
  const bid = () =>
    owner.rest.post('/v1/fog/pricing/bid', { auction_id: opened.body.auction_id, price: '90' });
  const score = `/v1/fog/reputation/score?entity_id=${providerId}`;
  const trust = (await owner.rest.get(score)).body;
  const path = `/v1/providers/${providerId}`;
  const needed = requiredStake(GUEST_PLACE.tops);
  const unstaked = { status: 402, code: 'INSUFFICIENT_BALANCE' } as const;
  const rule = (staked: string) => `at least ${needed} micro-units for 2000 TOPS, ${staked} is staked`;
  expectProblem(await bid(), { ...unstaked, errors: [{ field: 'stake', rule: rule('1000') }] });
  // Being refused is no evidence.
  expect((await owner.rest.get(score)).body).toEqual(trust);

  const amount = toMicro(BigInt(needed) - 1000n);
  const credit = { account_id: owner.id, amount: toMicro(BigInt(amount) + 1000n), reference: providerId };
  expect((await operator.rest.post('/v1/ledger/credit', credit)).status).toBe(201);
  expect(await owner.rest.post(`${path}/stake`, { amount })).toMatchObject({
    status: 200,
    body: { stake: needed },
  });
  expect(await owner.rest.post(`${path}/unstake`, { amount: '1' })).toMatchObject({ status: 200 });
  const left = String(BigInt(needed) - 1n);
  expectProblem(await bid(), { ...unstaked, errors: [{ field: 'stake', rule: rule(left) }] });
  expectProblem(await owner.rest.post(`${path}/withdraw`, {}), { status: 409, code: 'CONFLICT' });
  expect(await owner.rest.post(`${path}/stake`, { amount: '1' })).toMatchObject({ status: 200 });
  expect(await bid()).toMatchObject({ status: 201, body: { deposit: '100' } });
});
