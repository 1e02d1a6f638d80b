import { hash } from 'node:crypto';
import { eventId, type NewEvent } from '../../domain/event.ts';
import { canonicalJson, quoted } from '../../domain/json.ts';

/** What of an event is hashed: everything but position, record time, workflow and run. */
export interface HashedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: bigint;
}

/** Chain hash of the empty log. */
export const GENESIS_HASH = '0'.repeat(64);

const LEAF_PREFIX = Uint8Array.of(0);

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');

/**
 * The exact text that is stored and hashed: RFC 8785 JSON of the event with its id, stream and revision. The members are
 * written in their sorted order, which costs half of sorting them.
 */
export const envelopeOf = (event: NewEvent, stream: string, revision: bigint): string =>
  `{"actor":${quoted(event.actor)},"causationId":${quoted(event.causationId)}` +
  `,"correlationId":${quoted(event.correlationId)},"data":${canonicalJson(event.data)}` +
  `,"id":${quoted(eventId(stream, revision))},"occurredAt":${quoted(event.occurredAt)}` +
  `,"revision":${revision},"schemaVersion":${event.schemaVersion},"stream":${quoted(stream)}` +
  `,"traceparent":${event.traceparent === null ? 'null' : quoted(event.traceparent)},"type":${quoted(event.type)}}`;

/** Leaf of an envelope's exact text: SHA-256(0x00 ‖ UTF-8), as in RFC 6962. */
export const leafOfEnvelope = (envelope: string): Buffer => sha256(LEAF_PREFIX, Buffer.from(envelope));

/** Leaf of an event as it was appended (not upcast). */
export const leafOf = (event: HashedEvent): Buffer =>
  leafOfEnvelope(envelopeOf(event, event.stream, event.revision));

/** Chain hash after `leaf`: SHA-256(previous ‖ leaf). */
export const chainHash = (previous: Uint8Array, leaf: Uint8Array): Buffer => sha256(previous, leaf);
