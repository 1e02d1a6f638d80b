import { beforeEach, describe, expect, it } from 'vitest';
import { domainEventOf } from '../../domain/event.ts';
import { type LedgerEntry, transfer } from '../../domain/ledger/entry.ts';
import { account, LEDGER_STREAM, type LedgerEvent } from '../../domain/ledger/events.ts';
import { balanceOf, emptyLedger, foldLedger, type Ledger } from '../../domain/ledger/fold.ts';
import { toMicro } from '../../domain/money.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import type { Money } from '../ledger/ledger.ts';
import { createSteps } from './steps.ts';

const contextOf = (causationId: string) => ({
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: 'test',
  correlationId: causationId,
  causationId,
  traceparent: null,
});
const moneyOf = (entry: LedgerEntry, commandId: string): readonly Money[] => [
  { context: contextOf(commandId), entries: [entry], commandId },
];
const credit = (owner: string, amount: bigint, reference: string): LedgerEntry =>
  transfer('credit', account.external, account.available(owner), toMicro(amount), reference);
const stake = (owner: string, amount: bigint, cause: string): LedgerEntry =>
  transfer('stake', account.available(owner), account.stake('p'), toMicro(amount), cause);

let store: EventStore;
beforeEach(() => {
  store = createMemoryEventStore();
});

const ledger = async (): Promise<Ledger> =>
  foldLedger(
    emptyLedger,
    (await store.readStream(LEDGER_STREAM)).map((event) => domainEventOf<LedgerEvent>(event)),
  );

/** A store whose first ledger append waits for `released`, and then is lost on its way. */
const losingFirst = (released: Promise<void>): EventStore => {
  let isFirst = true;
  return {
    ...store,
    appendMany: async (requests, origin) => {
      if (!isFirst) {
        await released;
        return store.appendMany(requests, origin);
      }
      isFirst = false;
      await released;
      throw new Error('no answer');
    },
  };
};

describe('money that is decided behind an append that is lost', () => {
  it('is decided again when another process wrote in its place: no reference is booked twice', async () => {
    const released = Promise.withResolvers<void>();
    const steps = createSteps(losingFirst(released.promise));
    const lost = steps.append(null, moneyOf(credit('a', 1n, 'one'), 'command-1'));
    const behind = steps.append(null, moneyOf(credit('b', 2n, 'two'), 'command-2'));
    // As long as both are under way, another process books what the second of them is about to book.
    await createSteps(store).append(null, moneyOf(credit('b', 9n, 'two'), 'command-3'));
    released.resolve();
    await expect(lost).rejects.toThrow('no answer');
    expect(await behind).toMatchObject({ ok: false, reason: 'refused', rejection: { code: 'CONFLICT' } });
    expect(balanceOf(await ledger(), account.available('b'))).toBe(9n);
  });

  it('is decided again when another process spent it: no account is overdrawn', async () => {
    await createSteps(store).append(null, moneyOf(credit('a', 10n, 'start'), 'command-0'));
    const released = Promise.withResolvers<void>();
    const steps = createSteps(losingFirst(released.promise));
    const lost = steps.append(null, moneyOf(credit('b', 1n, 'one'), 'command-1'));
    const behind = steps.append(null, moneyOf(stake('a', 8n, 'two'), 'command-2'));
    await createSteps(store).append(null, moneyOf(stake('a', 8n, 'three'), 'command-3'));
    released.resolve();
    await expect(lost).rejects.toThrow('no answer');
    expect(await behind).toMatchObject({ ok: false, rejection: { code: 'INSUFFICIENT_BALANCE' } });
    expect(balanceOf(await ledger(), account.available('a'))).toBe(2n);
  });

  it('is not refused for what only the lost append would have spent', async () => {
    await createSteps(store).append(null, moneyOf(credit('a', 10n, 'start'), 'command-0'));
    const released = Promise.withResolvers<void>();
    const steps = createSteps(losingFirst(released.promise));
    const lost = steps.append(null, moneyOf(stake('a', 8n, 'one'), 'command-1'));
    const other = steps.append(null, moneyOf(stake('a', 7n, 'two'), 'command-2'));
    released.resolve();
    await expect(lost).rejects.toThrow('no answer');
    expect(await other).toMatchObject({ ok: true });
    expect(balanceOf(await ledger(), account.available('a'))).toBe(3n);
  });
});

describe('a command of the ledger', () => {
  it('that is asked for twice at once is one posting, and both are told of it', async () => {
    const steps = createSteps(store);
    const entry = credit('a', 5n, 'one');
    const both = await Promise.all([1, 2].map(() => steps.append(null, moneyOf(entry, 'command-1'))));
    expect(both).toMatchObject([
      { ok: true, position: 1n },
      { ok: false, reason: 'decided', commands: [{ commandId: 'command-1', position: 1n }] },
    ]);
    expect(balanceOf(await ledger(), account.available('a'))).toBe(5n);
  });
});
