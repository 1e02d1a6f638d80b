import { describe, expect, test } from 'vitest';
import { newEvent } from './event.ts';
import { isLifecycle } from './registry.ts';
import { schemaVersionOf, UPCASTERS } from './schema-versions.ts';
import { eventSchemaOf } from './schemas.ts';
import { upcast } from './upcasters.ts';

/** Events as they were stored, of every version that a type has had, and what is read instead. Never taken away. */
const STORED: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'provider.stake-locked': {
    1: '{"amount":"300"}',
    2: '{"amount":"300","at":"2026-01-01T00:00:00.000Z"}',
  },
};
const READ: Readonly<Record<string, string>> = {
  'provider.stake-locked': '{"amount":"300","at":"2026-01-01T00:00:00.000Z"}',
};

const versions = Object.entries(STORED).flatMap(([type, texts]) =>
  Object.entries(texts).map(([version, text]) => ({ type, version: Number(version), text })),
);

describe('schema versions', () => {
  test.each(versions)('$type version $version is read as its newest', ({ type, version, text }) => {
    const stored = {
      type,
      schemaVersion: version,
      data: JSON.parse(text),
      occurredAt: '2026-01-01T00:00:00.000Z',
    };
    const read = upcast(UPCASTERS, stored);
    expect(read.schemaVersion).toBe(schemaVersionOf(type));
    expect(JSON.stringify(read.data)).toBe(READ[type]);
    expect(eventSchemaOf(type)?.safeParse({ type, ...read.data }).success).toBe(true);
    expect(JSON.stringify(stored.data)).toBe(text);
  });

  test('every version of every type that had more than one is held here', () => {
    const held = Object.entries(STORED).map(([type, texts]) => [type, Object.keys(texts).map(Number)]);
    const known = Object.entries(UPCASTERS).map(([type, steps]) => [
      type,
      [...Object.keys(steps).map(Number), schemaVersionOf(type)],
    ]);
    expect(held).toEqual(known);
  });

  test('an event is written in the newest version of its type', () => {
    const context = {
      occurredAt: '2026-01-01T00:00:00.000Z',
      actor: 'engine',
      correlationId: 'c',
      causationId: 'c',
      traceparent: null,
    };
    expect(newEvent({ type: 'provider.stake-locked' }, context).schemaVersion).toBe(2);
    expect(newEvent({ type: 'auction.opened' }, context).schemaVersion).toBe(1);
  });

  test('events of lifecycles have none: running workflows decide them again in the shape of then', () => {
    const aggregates = Object.keys(UPCASTERS).map((type) => type.slice(0, type.indexOf('.')));
    expect(aggregates.filter(isLifecycle)).toEqual([]);
  });
});
