import { newEvent } from '../../../domain/event.ts';
import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { circuitStream } from '../../../domain/predicate/acceptance.ts';
import type { PredicateEvent } from '../../../domain/predicate/events.ts';
import { readPredicate } from '../../../domain/predicate/predicate.ts';
import { keyHashOf } from '../../../infra/verify/index.ts';
import { predicateStory } from '../stories/predicate.ts';
import { SAMPLE } from './sample.ts';

const { predicate, schema, context } = SAMPLE.expected;

/** The circuit of the sample. */
export const SAMPLE_CIRCUIT = (() => {
  const read = readPredicate(predicate, schema);
  if (!read.ok) throw new Error(read.message);
  return read.value;
})();

/** The log of the sample's circuit with its key, as a set-up writes it. */
export const publishSample = async (store: Pick<EventStore, 'append'>): Promise<void> => {
  const { circuitId, shape } = SAMPLE_CIRCUIT;
  const key = SAMPLE.verificationKey;
  const events = predicateStory(1, () => 0).events.map((each): PredicateEvent => {
    const event = each as PredicateEvent;
    if (event.type === 'predicate.requested') return { ...event, circuitId, shape };
    if (event.type !== 'predicate.key-made') return event;
    const transcript = { ...event.transcript, circuitId, keyHash: keyHashOf(key) };
    return { ...event, verificationKey: key, transcript };
  });
  const meta = {
    occurredAt: context.issuedAt,
    actor: 'engine',
    correlationId: circuitId,
    causationId: circuitId,
    traceparent: null,
  };
  const appended = await store.append({
    stream: circuitStream(circuitId),
    expectedRevision: NO_STREAM,
    events: events.map((event) => newEvent(event, meta)),
  });
  if (!appended.ok) throw new Error('the circuit is there already');
};
