import { aggregateOf } from '../../domain/event.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { type FoldedStream, foldStream } from '../../domain/registry.ts';

export interface ReplayedStream extends FoldedStream {
  readonly stream: string;
  readonly aggregate: string;
  /** Position and time of the last event folded. */
  readonly position: string;
  readonly at: string;
}

/**
 * State of a stream at `revision` (inclusive; its newest when absent), from its events alone.
 * @returns null for a stream without events up to there.
 */
export const replayStream = async (
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  revision?: bigint,
): Promise<ReplayedStream | null> => {
  const events = await store.readStream(stream, revision === undefined ? {} : { to: revision });
  const last = events.at(-1);
  if (!last) return null;
  return {
    stream,
    aggregate: aggregateOf(stream),
    position: String(last.position),
    at: last.occurredAt,
    ...foldStream(stream, events),
  };
};
