import { beforeEach, describe, expect, it } from 'vitest';
import { type EventContext, newEvent } from '../../domain/event.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, emptyLedger, total } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import { type EventStore, NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import type { CreditClaim } from '../../domain/sla/credit.ts';
import { type Service, serviceOf } from '../../domain/sla/service.ts';
import { jobEvents } from '../../domain/sla/sla.fixture.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createJournal } from '../journal/journal.ts';
import { followLedger } from '../ledger/ledger.ts';
import { createSlaCredits } from './sla-credits.ts';

const contextOf = (causationId: string): EventContext => ({
  occurredAt: '2026-02-01T00:00:00.000Z',
  actor: 'subject-1',
  correlationId: 'job-1',
  causationId,
  traceparent: null,
});
const context = contextOf('command-1');
const service = serviceOf(jobEvents(), 'provider-0') as Service;
const claimOf = (proof: number, creditPercent: number): CreditClaim => ({
  service,
  proofId: `proof-${proof}`,
  creditPercent,
});
const proofOf = (proof: number): StreamAppend => ({
  stream: `proof-${proof}`,
  expectedRevision: NO_STREAM,
  events: [newEvent({ type: 'proof.recorded' }, context)],
});

let store: EventStore;
const earn = async (amount: bigint, cause: string): Promise<void> => {
  const owner = account.available(service.owner);
  await createJournal({ store }).post(
    [transfer('credit', account.external, owner, toMicro(amount), cause)],
    context,
  );
};
const ledger = async () => (await followLedger(store, { ledger: emptyLedger, revision: NO_STREAM })).ledger;
const holds = async (principal: string) => balanceOf(await ledger(), account.available(principal));

beforeEach(() => {
  store = createMemoryEventStore();
});

describe('SLA credits', () => {
  it('stand right behind the proof that they follow from, money first', async () => {
    await earn(1000n, 'first');
    const settled = await createSlaCredits(store).settle(proofOf(1), claimOf(1, 25), context);
    const log = await store.readAll({ after: 0n, limit: 10 });
    expect(log.map(({ type }) => type)).toEqual([
      'ledger.entry-posted',
      'proof.recorded',
      'ledger.entry-posted',
      'sla.credit-granted',
    ]);
    const position = log[3]?.position;
    expect(settled).toEqual({
      credit: { account: { due: '250', paid: '250', outstanding: '0' }, position },
      position,
    });
    expect(log[2]?.data).toMatchObject({ kind: 'sla-credit', cause: log[3]?.id });
    expect(log[3]).toMatchObject({ causationId: 'proof-1@0', data: { proofId: 'proof-1' } });
    expect(await createSlaCredits(store).standing('job-1', 'provider-0')).toMatchObject(settled.credit);
  });

  it('are given once, however often and however many at a time a proof is sent', async () => {
    await earn(1000n, 'first');
    const [one, other] = [createSlaCredits(store), createSlaCredits(store)];
    const sent = Array.from({ length: 12 }, (_, index) =>
      (index % 2 ? one : other).settle(
        proofOf(index % 3),
        claimOf(index % 3, [10, 25, 25][index % 3] ?? 0),
        contextOf(`command-${index}`),
      ),
    );
    await Promise.all([...sent, ...Array.from({ length: 8 }, (_, index) => earn(1n, `gain-${index}`))]);
    expect(await holds('subject-s')).toBe(250n);
    expect(await holds('owner-0')).toBe(1008n - 250n);
    expect(total(await ledger())).toBe(0n);
    for (const proof of [0, 1, 2]) expect(await store.readStream(`proof-${proof}`)).toHaveLength(1);
  });

  it('wait for money that is not there, and take it when the proof is sent again', async () => {
    const credits = createSlaCredits(store);
    const owed = await credits.settle(proofOf(1), claimOf(1, 100), context);
    expect(owed.credit.account).toEqual({ due: '1000', paid: '0', outstanding: '1000' });
    expect(await store.readStream(LEDGER_STREAM)).toEqual([]);
    await earn(400n, 'later');
    const send = (commandId: string) => credits.settle(proofOf(1), claimOf(1, 100), contextOf(commandId));
    const some = await send('command-2');
    expect(some.credit.account.outstanding).toBe('600');
    expect(await holds('owner-0')).toBe(0n);
    await earn(5000n, 'rich');
    // A retry is told what it came to, and takes nothing more.
    expect(await send('command-2')).toEqual(some);
    await send('command-3');
    expect(await holds('owner-0')).toBe(4400n);
    const again = await send('command-4');
    expect(again.credit.account).toEqual({ due: '1000', paid: '1000', outstanding: '0' });
    expect(await holds('subject-s')).toBe(1000n);
  });
});
