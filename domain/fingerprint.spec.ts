import { expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';
import { transfer } from './ledger/entry.ts';
import { toMicro } from './money.ts';
import type { JournalBatch } from './ports/journal.ts';

const batch: JournalBatch = {
  context: {
    occurredAt: '2026-01-01T00:00:00.000Z',
    actor: 'engine',
    correlationId: 'job-1',
    causationId: 'command-1',
    traceparent: null,
  },
  events: [{ type: 'auction.lapsed', lapsedAt: '2026-01-01T00:00:00.000Z' } as never],
  entries: [transfer('hold', 'a', 'b', toMicro(5n), 'auction-1@0')],
  commandId: 'command-1',
};

it('is 32 hex digits, the same for the same decision however its members are ordered', () => {
  const { context, ...rest } = batch;
  expect(fingerprintOf([batch])).toMatch(/^[0-9a-f]{32}$/);
  expect(fingerprintOf([{ ...rest, context: { ...context } }])).toBe(fingerprintOf([batch]));
});

it('differs with everything that is decided', () => {
  const others: readonly (readonly JournalBatch[])[] = [
    [],
    [batch, batch],
    [{ ...batch, context: { ...batch.context, occurredAt: '2026-01-01T00:00:00.001Z' } }],
    [{ ...batch, context: { ...batch.context, causationId: 'command-2' } }],
    [{ ...batch, events: [] }],
    [{ ...batch, events: [{ type: 'auction.lapsed' }] }],
    [{ ...batch, entries: [] }],
    [{ ...batch, entries: [transfer('hold', 'a', 'b', toMicro(6n), 'auction-1@0')] }],
    [{ ...batch, commandId: 'command-2' }],
  ];
  const prints = [[batch], ...others].map(fingerprintOf);
  expect(new Set(prints).size).toBe(prints.length);
});
