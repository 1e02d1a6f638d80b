import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventId, type NewEvent } from '../../domain/event.ts';
import { canonicalJson, type JsonObject } from '../../domain/json.ts';
import { chainHash, envelopeOf, leafOf, leafOfEnvelope } from './hash.ts';

const text = fc.string({ unit: 'binary' });

const newEvent: fc.Arbitrary<NewEvent> = fc.record({
  type: text,
  schemaVersion: fc.nat(),
  data: fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<JsonObject>,
  occurredAt: text,
  actor: text,
  correlationId: text,
  causationId: text,
  traceparent: fc.option(text),
});

describe('envelope', () => {
  test('is the canonical JSON of the event with its place in the stream', () => {
    fc.assert(
      fc.property(newEvent, text, fc.nat(), (event, stream, revision) => {
        const whole = { ...event, id: eventId(stream, revision), stream, revision };
        expect(envelopeOf(event, stream, BigInt(revision))).toBe(canonicalJson(whole));
      }),
    );
  });

  test('is one line, so that lines can separate envelopes', () => {
    fc.assert(fc.property(newEvent, (event) => !envelopeOf(event, 'sample-1', 0n).includes('\n')));
  });
});

describe('hashes', () => {
  // The digests of one and of 64 zero bytes, from sha256sum.
  test('a leaf is SHA-256 of a zero byte and the text', () => {
    expect(leafOfEnvelope('').toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  test('the chain is SHA-256 of the previous hash and the leaf', () => {
    const hash = chainHash(Buffer.alloc(32), Buffer.alloc(32));
    expect(hash.toString('hex')).toBe('f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b');
  });

  test('workflow, run, position and record time do not change a leaf', () => {
    fc.assert(
      fc.property(newEvent, (event) => {
        const recorded = { ...event, stream: 'sample-1', revision: 3n };
        const moved = { ...recorded, position: 9n, recordedAt: 'now', workflowId: 'w', runId: 'r' };
        expect(leafOf(moved)).toEqual(leafOf(recorded));
      }),
    );
  });
});
