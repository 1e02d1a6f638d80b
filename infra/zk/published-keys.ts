import { LRUCache } from 'lru-cache';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { circuitStream } from '../../domain/predicate/acceptance.ts';
import type { PredicateCircuit } from '../../domain/predicate/machine.ts';
import { foldedState, foldStream } from '../../domain/registry.ts';

/** A circuit as the log has it. */
export interface PublishedCircuit {
  readonly stream: string;
  readonly state: string;
  readonly circuit: PredicateCircuit;
  /** Position of its last event. */
  readonly position: bigint;
}

export interface PublishedKeys {
  /** The circuit with this id; null when nobody has asked for it. */
  find(circuitId: string): Promise<PublishedCircuit | null>;
}

const CACHED = 256;
const CIRCUIT_ID = /^[0-9a-f]{64}$/;

/** Circuits and their keys, straight from the log. A key that stands never changes, so it is kept. */
export const createPublishedKeys = (store: Pick<EventStore, 'readStream'>): PublishedKeys => {
  const ready = new LRUCache<string, PublishedCircuit>({ max: CACHED });

  return {
    async find(circuitId) {
      if (!CIRCUIT_ID.test(circuitId)) return null;
      const cached = ready.get(circuitId);
      if (cached) return cached;
      const stream = circuitStream(circuitId);
      const events = await store.readStream(stream);
      const last = events.at(-1);
      if (!last) return null;
      const folded = foldStream(stream, events);
      const circuit = folded.context as PredicateCircuit;
      // The stream's name has 130 bits of the id: the rest is compared, too.
      if (circuit.circuitId !== circuitId) return null;
      const found = { stream, state: foldedState(folded), circuit, position: last.position };
      if (circuit.key) ready.set(circuitId, found);
      return found;
    },
  };
};
