import { expect, test, vi } from 'vitest';
import type { EventContext } from '../../domain/event.ts';
import { transfer } from '../../domain/ledger/entry.ts';
import { account, LEDGER_STREAM } from '../../domain/ledger/events.ts';
import { balanceOf, type Ledger, total } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createJournal } from '../journal/journal.ts';
import { followLedger, ledgerSnapshot } from './ledger.ts';

const context: EventContext = {
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: 'test',
  correlationId: 'c',
  causationId: 'c',
  traceparent: null,
};
const alice = account.available('alice');
const credit = (id: number) => [
  transfer('credit', account.external, alice, toMicro(1n), `credit-${id}`, `${id}`),
];

test('a ledger that grows is read once, and its snapshots are states that were in the log', async () => {
  const memory = createMemoryEventStore();
  const readStream = vi.fn<typeof memory.readStream>(memory.readStream);
  const store = { ...memory, readStream };
  const journal = createJournal({ store });
  await journal.post(credit(0), context);
  const reads = readStream.mock.calls.length;
  await Promise.all(Array.from({ length: 1100 }, (_, id) => journal.post(credit(id + 1), context)));
  expect(readStream.mock.calls.length).toBe(reads);

  const kept = await vi.waitFor(async () => {
    const snapshot = await ledgerSnapshot(store);
    expect(snapshot.revision).toBeGreaterThanOrEqual(998n);
    return snapshot;
  });
  expect(balanceOf(kept.ledger, alice)).toBe(kept.revision + 1n);
  const now = await followLedger(store, kept);
  expect(now.revision).toBe(1100n);
  expect(balanceOf(now.ledger, alice)).toBe(1101n);
  expect(total(now.ledger)).toBe(0n);
  expect(await store.loadSnapshot(LEDGER_STREAM)).toMatchObject({ revision: kept.revision });
  expect((await store.loadSnapshot(LEDGER_STREAM))?.state as Ledger).toEqual(kept.ledger);
});

test('a snapshot of another fold is not read: the ledger is folded from its events', async () => {
  const store = createMemoryEventStore();
  await createJournal({ store }).post(credit(0), context);
  const state = { balances: { [alice]: '7' }, credits: {} };
  await store.saveSnapshot(LEDGER_STREAM, { revision: 0n, version: 99, state });
  const { ledger, revision } = await followLedger(store, await ledgerSnapshot(store));
  expect(balanceOf(ledger, alice)).toBe(1n);
  expect(revision).toBe(0n);
  expect(await createJournal({ store }).balanceOf(alice)).toBe('1');
});

test('a snapshot that could not be saved costs a reading, and is saved then', async () => {
  const memory = createMemoryEventStore();
  const saveSnapshot = vi
    .fn<typeof memory.saveSnapshot>(memory.saveSnapshot)
    .mockRejectedValueOnce(new Error('the disk is full'));
  const store = { ...memory, saveSnapshot };
  const journal = createJournal({ store });
  for (let id = 0; id < 502; id++) await journal.post(credit(id), context);
  await vi.waitFor(() => expect(saveSnapshot).toHaveBeenCalledTimes(2));
  const kept = await ledgerSnapshot(store);
  expect(balanceOf(kept.ledger, alice)).toBe(kept.revision + 1n);
  const now = await followLedger(store, kept);
  expect([now.revision, balanceOf(now.ledger, alice)]).toEqual([501n, 502n]);
});
