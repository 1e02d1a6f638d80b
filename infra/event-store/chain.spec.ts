import { beforeEach, describe, expect, test } from 'vitest';
import type { NewEvent } from '../../domain/event.ts';
import { NO_STREAM } from '../../domain/ports/event-store.ts';
import { type ChainEntry, chainEntryOf, createChainVerifier, verifyChain } from './chain.ts';
import { createMemoryEventStore } from './memory/store.ts';

const event = (number: number): NewEvent => ({
  type: 'sample.happened',
  schemaVersion: 1,
  data: { number },
  occurredAt: '2026-01-02T03:04:05.678Z',
  actor: 'engine',
  correlationId: 'job-1',
  causationId: 'command-1',
  traceparent: null,
});

let entries: ChainEntry[];

beforeEach(async () => {
  const store = createMemoryEventStore();
  await store.append({ stream: 'sample-a', expectedRevision: NO_STREAM, events: [event(0), event(1)] });
  await store.append({ stream: 'sample-b', expectedRevision: NO_STREAM, events: [event(0)] });
  await store.append({ stream: 'sample-a', expectedRevision: 1n, events: [event(2), event(3)] });
  entries = (await store.readAll({ after: 0n, limit: 10 })).map(chainEntryOf);
});

const change = (index: number, changed: Partial<ChainEntry>): ChainEntry[] =>
  entries.map((entry, at) => (at === index ? { ...entry, ...changed } : entry));

test('an untouched log has no fault and ends at its head', () => {
  expect(verifyChain(entries)).toEqual({ faults: [], head: { position: 5n, hash: entries[4]?.hash } });
});

test('a log may be walked in parts', () => {
  const verifier = createChainVerifier();
  expect(entries.flatMap((entry) => verifier.check(entry))).toEqual([]);
  expect(verifier.head()).toEqual({ position: 5n, hash: entries[4]?.hash });
});

describe('every change shows at the event it was made to', () => {
  const envelope = () => entries[1]?.envelope ?? '';

  test('one byte of an envelope', () => {
    for (let byte = 0; byte < envelope().length; byte++) {
      const changed = `${envelope().slice(0, byte)}~${envelope().slice(byte + 1)}`;
      const { faults } = verifyChain(change(1, { envelope: changed }));
      expect(new Set(faults.map((fault) => fault.position))).toEqual(new Set([2n]));
    }
  });

  test('a hash, which the next event no longer follows', () => {
    const { faults } = verifyChain(change(1, { hash: 'ab'.repeat(32) }));
    expect(faults.map((fault) => fault.position)).toEqual([2n, 3n]);
  });

  test('a column that queries filter by', () => {
    for (const changed of [{ type: 'sample.ended' }, { stream: 'sample-c' }, { revision: 7n }]) {
      expect(verifyChain(change(1, changed)).faults.map((fault) => fault.position)).toContain(2n);
    }
  });

  test('an event that is gone, twice or moved', () => {
    const [first, second, third, ...rest] = entries as [ChainEntry, ChainEntry, ChainEntry, ChainEntry];
    for (const changed of [
      [first, third, ...rest],
      [first, second, second, third, ...rest],
      [first, third, second, ...rest],
    ]) {
      expect(verifyChain(changed).faults).not.toEqual([]);
    }
  });
});
