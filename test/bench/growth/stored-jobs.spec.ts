import { expect, test } from 'vitest';
import { aggregateOf, domainEventOf } from '../../../domain/event.ts';
import { LEDGER_STREAM, type LedgerEvent } from '../../../domain/ledger/events.ts';
import { emptyLedger, foldLedger, total } from '../../../domain/ledger/fold.ts';
import { foldedState, foldStream } from '../../../domain/registry.ts';
import { misshapen } from '../../../infra/audit/schema.ts';
import { createMemoryEventStore } from '../../../infra/event-store/memory/store.ts';
import { createStoredJobs } from './stored-jobs.ts';

test('stored jobs are streams as the engine writes them: each event in shape, each stream whole, money in balance', async () => {
  const store = createMemoryEventStore();
  const stored = createStoredJobs(store);
  await stored.setUp();
  await stored.jobs(0, 50);
  const streams = Map.groupBy(await store.readAll({ after: 0n, limit: 10_000 }), ({ stream }) => stream);
  const states = [...streams].map(([stream, events]) => {
    expect(misshapen(events)).toEqual([]);
    return `${aggregateOf(stream)} ${foldedState(foldStream(stream, events))}`;
  });
  const counts = Object.fromEntries(
    [...Map.groupBy(states, (state) => state)].map(([state, all]) => [state, all.length]),
  );
  expect(counts).toMatchObject({
    'job settled': 50,
    'auction allocated': 50,
    'enclave terminated': 100,
    'proof active': 100,
    'quorum dissolved': 50,
  });
  const ledger = (streams.get(LEDGER_STREAM) ?? []).map((event) => domainEventOf<LedgerEvent>(event));
  expect(total(foldLedger(emptyLedger, ledger))).toBe(0n);
  // The providers that won have an item of evidence of every job.
  const evidence = [...streams.values()].map(
    (events) => events.filter(({ type }) => type === 'provider.evidence-recorded').length,
  );
  expect(evidence.filter((count) => count === 50)).toHaveLength(2);
});
