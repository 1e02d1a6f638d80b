import { NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import { sampleEvent } from '../contract/events.ts';

/** Events that request `index` of a writer puts on its main stream. */
const sizeOf = (index: number): number => 1 + (index % 3);

/** Events on the main stream before request `index`. */
export const eventsBefore = (index: number): number => {
  const rounds = Math.floor(index / 3);
  return rounds * 6 + (index % 3 === 0 ? 0 : index % 3 === 1 ? 1 : 3);
};

/** Every fourth request also writes one event to a second stream, in the same step. */
const hasSide = (index: number): boolean => index % 4 === 0;

/** Events on the second stream before request `index`. */
export const sideEventsBefore = (index: number): number => Math.ceil(index / 4);

export const mainStream = (writer: number): string => `sample-${writer}`;
export const sideStream = (writer: number): string => `side-${writer}`;

/** Request `index` of a writer: the same each time it is built, as a retried activity builds it. */
export const request = (writer: number, index: number): StreamAppend[] => {
  const before = eventsBefore(index);
  const main: StreamAppend = {
    stream: mainStream(writer),
    expectedRevision: BigInt(before) + NO_STREAM,
    events: Array.from({ length: sizeOf(index) }, (_, at) =>
      sampleEvent({ writer, index, number: before + at }),
    ),
  };
  if (!hasSide(index)) return [main];
  const number = sideEventsBefore(index);
  const side: StreamAppend = {
    stream: sideStream(writer),
    expectedRevision: BigInt(number) + NO_STREAM,
    events: [sampleEvent({ writer, index, number })],
  };
  return [main, side];
};
