import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { type Case, throughput } from '../harness.ts';
import { bids } from './events.ts';

const STREAMS = 10;
const EVENTS = 100;
const TIMES = [4, 16] as const;
/** Events of a stream that lie side by side: those of others come between. */
const RUN = 20;
const MEASURE_MS = 400;
const US_PER_S = 1e6;

const named = (set: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `auction-${set}-${index}`);

/** Streams of `length` events each, a run of every stream in turn. */
const fill = async (store: EventStore, streams: readonly string[], length: number): Promise<void> => {
  for (let revision = NO_STREAM; revision < length - 1; revision += BigInt(RUN)) {
    const events = bids(Number(revision), RUN);
    await Promise.all(streams.map((stream) => store.append({ stream, expectedRevision: revision, events })));
  }
};

/**
 * What an event costs in a read of several streams, with 4 and 16 times as many events in each stream or as many streams,
 * beside what it costs without: 1 is a read that is linear in what it returns.
 */
export const readStreamsCases = async (store: EventStore): Promise<Case[]> => {
  /** µs on the clock: most of what could grow is the server's. */
  const perEvent = async (streams: readonly string[], events: number): Promise<number> => {
    const reads = await throughput(MEASURE_MS, async () => {
      const found = await store.readStreams(streams);
      const read = [...found.values()].reduce((sum, each) => sum + each.length, 0);
      if (read !== events) throw new Error(`read ${read} events`);
      return events;
    });
    return US_PER_S / reads;
  };
  const plain = named('1', STREAMS);
  await fill(store, plain, EVENTS);
  const cases: Case[] = [];
  for (const times of TIMES) {
    const long = named(`long-${times}`, STREAMS);
    const many = named(`many-${times}`, STREAMS * times);
    await fill(store, long, EVENTS * times);
    await fill(store, many, EVENTS);
    const events = STREAMS * EVENTS * times;
    const baseline = () => perEvent(plain, STREAMS * EVENTS);
    cases.push(
      {
        name: `read-streams-${times}-x-events`,
        unit: 'µs an event',
        ours: () => perEvent(long, events),
        baseline,
      },
      {
        name: `read-streams-${times}-x-streams`,
        unit: 'µs an event',
        ours: () => perEvent(many, events),
        baseline,
      },
    );
  }
  return cases;
};
