import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { type Case, throughput } from '../harness.ts';
import { bids } from './events.ts';
import type { RawLog } from './raw-log.ts';

const WRITERS = 32;
const MEASURE_MS = 1_000;

/** Writers that each append to a stream of their own and wait for the commit, in a closed loop. */
const writers = async (
  eventsPerAppend: number,
  append: (stream: string, revision: number) => Promise<void>,
) => {
  const write = (writer: number) => {
    const stream = `auction-${measurement}-${writer}`;
    let revision = 0;
    return throughput(MEASURE_MS, async () => {
      await append(stream, revision);
      revision += eventsPerAppend;
      return eventsPerAppend;
    });
  };
  measurement++;
  const rates = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  return rates.reduce((sum, rate) => sum + rate, 0);
};

/** Makes the streams of every measurement new. */
let measurement = 0;

/** Durable appends of 32 concurrent writers. The store checks revisions, orders, hashes and deduplicates; INSERT does not. */
export const appendCase = (store: EventStore, raw: RawLog, eventsPerAppend: number): Case => ({
  name: `append-${WRITERS}x${eventsPerAppend}`,
  unit: 'events/s',
  ours: () =>
    writers(eventsPerAppend, async (stream, revision) => {
      const result = await store.append(
        { stream, expectedRevision: BigInt(revision) + NO_STREAM, events: bids(revision, eventsPerAppend) },
        { workflowId: stream, runId: null },
      );
      if (!result.ok || result.replayed) throw new Error(`append to ${stream} did not write`);
    }),
  baseline: () =>
    writers(eventsPerAppend, (stream, revision) =>
      raw.insert(stream, revision, bids(revision, eventsPerAppend)),
    ),
});
