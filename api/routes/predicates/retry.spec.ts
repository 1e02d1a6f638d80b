import { beforeEach, describe, expect, it } from 'vitest';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { addSeconds } from '../../../domain/time.ts';
import { createMemoryEventStore } from '../../../infra/event-store/memory/store.ts';
import { createAcceptances } from '../../../infra/zk/acceptances.ts';
import { createPublishedKeys } from '../../../infra/zk/published-keys.ts';
import { appFor, knownCredentials } from '../../../test/support/api.ts';
import { publishSample, SAMPLE_CIRCUIT } from '../../../test/support/zk/publish-sample.ts';
import { SAMPLE, SAMPLE_NOW } from '../../../test/support/zk/sample.ts';
import { verifyPredicateProof } from './verify.ts';

const { predicate, schema, issuer, context } = SAMPLE.expected;

let store: EventStore;
beforeEach(async () => {
  store = createMemoryEventStore();
  await publishSample(store);
});

const BODY = {
  circuit_id: SAMPLE_CIRCUIT.circuitId,
  proof: SAMPLE.proof,
  public_inputs: SAMPLE.publicInputs,
  context: {
    predicate,
    schema,
    issuer,
    scope: context.scope,
    nonce: context.nonce,
    issued_at: context.issuedAt,
    expires_at: context.expiresAt,
  },
};

/** A process that knows nothing but the log: what it had stored of earlier requests died with the one before it. */
const send = async (key: string, now: string): Promise<Record<string, unknown>> => {
  const route = verifyPredicateProof({
    now: () => now,
    acceptances: createAcceptances({ store, now: () => now }),
    publishedKeys: createPublishedKeys(store),
  });
  const verifier = { id: context.verifier, roles: ['submitter'] as const, premium: false };
  const { api } = appFor([route], { credentials: { ...knownCredentials(), byApiKey: async () => verifier } });
  const response = await api.request(route.path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': 'key', 'Idempotency-Key': key },
    body: JSON.stringify(BODY),
  });
  expect(response.status).toBe(200);
  const { verification_time_ms: _, ...answer } = (await response.json()) as Record<string, unknown>;
  return answer;
};

describe('a proof that was accepted, by a process that died before it could say so', () => {
  const late = addSeconds(context.expiresAt, 60);

  it('is told as accepted to the same key, also when its context has expired meanwhile', async () => {
    const accepted = await send('key-1', SAMPLE_NOW);
    expect(accepted).toMatchObject({ result: true });
    expect(await send('key-1', SAMPLE_NOW)).toEqual(accepted);
    const { steps: _, ...told } = await send('key-1', late);
    expect(accepted).toMatchObject(told);
  });

  it('is used to everybody else', async () => {
    await send('key-1', SAMPLE_NOW);
    expect(await send('key-2', SAMPLE_NOW)).toMatchObject({ result: false, reason: 'nullifier_used' });
    expect(await send('key-2', late)).toMatchObject({ result: false, reason: 'expired' });
  });
});

describe('a command id', () => {
  const proof = (nullifier: string, nonce: string) => ({
    nullifier,
    context: { ...context, nonce, circuitId: SAMPLE_CIRCUIT.circuitId, keyHash: '00' },
  });
  const meta = { commandId: 'command-1', actor: 'subject-1', traceparent: null };

  it('that accepted one proof accepts no others under its name', async () => {
    const acceptances = createAcceptances({ store, now: () => SAMPLE_NOW });
    const [one, other] = [proof('1', 'aa'), proof('2', 'bb')];
    const accepted = await acceptances.accept([one], meta);
    expect(accepted).toMatchObject({ ok: true });
    expect(await acceptances.accept([one], meta)).toEqual(accepted);
    expect(await acceptances.accept([one, other], meta)).toEqual({
      ok: false,
      proof: 0,
      reason: 'nullifier_used',
    });
    // It is still good: nothing of it was used up.
    expect(await acceptances.accept([other], { ...meta, commandId: 'command-2' })).toMatchObject({
      ok: true,
    });
  });
});
