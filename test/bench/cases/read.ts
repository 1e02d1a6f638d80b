import { type EventStore, NO_STREAM } from '../../../domain/ports/event-store.ts';
import { type Case, throughput } from '../harness.ts';
import { bids } from './events.ts';
import type { RawLog } from './raw-log.ts';

const EVENTS = 1_000;
const STREAM = 'auction-read';
const MEASURE_MS = 500;

/** Whole streams of 1,000 events, one after the other. */
export const readCase = async (store: EventStore, raw: RawLog): Promise<Case> => {
  await store.append({ stream: STREAM, expectedRevision: NO_STREAM, events: bids(0, EVENTS) });
  await raw.insert(STREAM, 0, bids(0, EVENTS));
  const counted = (events: { readonly length: number }): number => {
    if (events.length !== EVENTS) throw new Error(`read ${events.length} events`);
    return events.length;
  };
  const select = {
    name: 'select-stream',
    text: 'select * from raw_events where stream = $1 order by revision',
    values: [STREAM],
  };
  return {
    name: `read-${EVENTS}`,
    unit: 'events/s',
    ours: () => throughput(MEASURE_MS, async () => counted(await store.readStream(STREAM))),
    baseline: () => throughput(MEASURE_MS, async () => counted((await raw.pool.query(select)).rows)),
  };
};
