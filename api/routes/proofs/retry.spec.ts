import { beforeEach, describe, expect, it } from 'vitest';
import { ok } from '../../../domain/errors.ts';
import type { EventStore } from '../../../domain/ports/event-store.ts';
import { addSeconds } from '../../../domain/time.ts';
import { createMemoryEventStore } from '../../../infra/event-store/memory/store.ts';
import type { Principal } from '../../../infra/keys/credentials.ts';
import { METERING, MODULE, machine, NOW, proofOf } from '../../../test/support/execution-proof.ts';
import { recordExecution } from './record-execution.ts';

const OWNER: Principal = { id: 'subject-owner', roles: ['provider'], premium: false };
const LATER = addSeconds(NOW, 20 * 365 * 24 * 3600);

let store: EventStore;
beforeEach(() => {
  store = createMemoryEventStore();
});

const record = (commandId: string, now: string, proof = proofOf()) =>
  recordExecution(
    {
      artifacts: { read: async () => MODULE } as never,
      meteringOf: async (sha256) => ok({ sha256, metering: METERING, signature: '' }),
      now: () => now,
      ownersOf: async () => new Set([OWNER.id]),
      requireHardware: false,
      roots: machine.roots,
      store,
    },
    { principal: OWNER, commandId, traceparent: null },
    proof,
    {},
  );

describe('a proof of execution that was recorded, by a process that died before it could say so', () => {
  it('is told as recorded to the same command, also when its certificates have expired meanwhile', async () => {
    const recorded = await record('command-1', NOW);
    expect(recorded).toEqual({ ok: true, value: { position: 1n, label: 'simulated' } });
    expect(await record('command-1', NOW)).toEqual(recorded);
    expect(await record('command-1', LATER)).toEqual(recorded);
    expect(await store.head()).toMatchObject({ position: 1n });
  });

  it('is refused to another command then, and another proof to the same', async () => {
    await record('command-1', NOW);
    expect(await record('command-2', LATER)).toMatchObject({ code: 'PROOF_VERIFICATION_FAILED' });
    expect(await record('command-1', LATER, proofOf({ outputBytes: 4 }))).toMatchObject({
      code: 'PROOF_VERIFICATION_FAILED',
    });
  });
});
