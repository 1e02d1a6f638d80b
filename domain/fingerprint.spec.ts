import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contradicts, fingerprintOf } from './fingerprint.ts';
import { transfer } from './ledger/entry.ts';
import { toMicro } from './money.ts';
import type { Ask } from './ports/journal.ts';

const context = {
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: 'engine',
  correlationId: 'job-1',
  causationId: 'job-1@0',
  traceparent: null,
};
const event = { type: 'job.run-started', startedAt: context.occurredAt };
const entry = (amount: bigint) => transfer('hold', 'a', 'b', toMicro(amount), 'job-1@0');
const batch = { context, events: [event], entries: [entry(5n)] };
const asks: Ask[] = [['timer', 'stalled', 1000]];

describe('a fingerprint', () => {
  test('is the same for the same step, as JSON carries it', () => {
    const print = fingerprintOf([batch], asks);
    expect(print).toMatch(/^2:[0-9a-f]{32}$/);
    const { startedAt, type } = event;
    const copied = JSON.parse(JSON.stringify({ ...batch, events: [{ startedAt, type, absent: undefined }] }));
    expect(fingerprintOf([copied], asks)).toBe(print);
  });

  test('is another for another event, context, amount, command, batch, timer, input or report', () => {
    const of = (...all: Ask[]) => all;
    const prints = [
      fingerprintOf([batch], asks),
      fingerprintOf([batch]),
      fingerprintOf([batch, batch], asks),
      fingerprintOf([{ ...batch, events: [Object.assign({}, event, { startedAt: 'later' })] }], asks),
      fingerprintOf([{ ...batch, context: { ...context, causationId: 'job-1@1' } }], asks),
      fingerprintOf([{ ...batch, entries: [entry(6n)] }], asks),
      fingerprintOf([{ ...batch, commandId: 'c' }], asks),
      fingerprintOf([batch], of(['timer', 'stalled', 1001])),
      fingerprintOf([batch], of(['timer', 'stalled', 1000], ['effect', 'run', 'run', { job: 1 }])),
      fingerprintOf([batch], of(['timer', 'stalled', 1000], ['effect', 'run', 'run', { job: 2 }])),
      fingerprintOf([batch], of(['timer', 'stalled', 1000], ['report', { state: 'awarded', body: 1 }])),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });

  test('contradicts another of its scheme, and none of an older one', () => {
    const print = fingerprintOf([batch], asks);
    expect(contradicts(print, print)).toBe(false);
    expect(contradicts(print, fingerprintOf([batch]))).toBe(true);
    expect(contradicts('ab'.repeat(16), print)).toBe(false);
  });

  test('is the same by any SHA-256', () => {
    const native = (text: string): string => createHash('sha256').update(text).digest('hex');
    expect(fingerprintOf([batch], asks, native)).toBe(fingerprintOf([batch], asks));
  });

  test('asking for nothing is the same as not asking', () => {
    expect(fingerprintOf([batch], [])).toBe(fingerprintOf([batch]));
  });
});
