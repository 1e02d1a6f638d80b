import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NewEvent } from '../../../domain/event.ts';
import { ulidFrom } from '../../../domain/ids.ts';
import { LEDGER_STREAM } from '../../../domain/ledger/events.ts';
import { type EventStore, NO_STREAM, type StreamAppend } from '../../../domain/ports/event-store.ts';

/** An event as the log of a real run holds it. */
interface Recorded extends NewEvent {
  readonly stream: string;
  readonly revision: number;
}

const ULID = /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g;
const INSTANT = /\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
/** Between the beginnings of two jobs, ms. */
const JOB_EVERY_MS = 10_000;
/** Jobs whose events are on their way to the store at once. */
const AT_ONCE = 40;

/**
 * The log of a local stack that was set up, and ran one job of two members: a line for each event. The first job's first
 * event parts what was there from what a job leaves.
 */
const lines = readFileSync(new URL('silver-job.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const firstOfJob = lines.findIndex((line) => line.includes('"type":"job.submitted"'));
const setUp = lines.slice(0, firstOfJob);
const job = lines.slice(firstOfJob).join('\n');
const shared = new Set(setUp.join('\n').match(ULID));

const recordedOf = (text: string): Recorded[] => text.split('\n').map((line) => JSON.parse(line) as Recorded);

/** Providers of the run, in the order in which they registered. */
export const storedProviders = recordedOf(setUp.join('\n')).flatMap(({ type, data }) =>
  type === 'provider.registered'
    ? [{ providerId: data['providerId'] as string, owner: data['owner'] as string }]
    : [],
);

/**
 * The job's events with other ids and at another time: those of job `number`. All fits but what is drawn from ids: an
 * award may fall otherwise where bids tie.
 */
const jobEvents = (number: number): Recorded[] => {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    const own = shared.has(id) ? id : ulidFrom(createHash('sha256').update(`${id}|${number}`).digest());
    ids.set(id, own);
    return own;
  };
  // Jobs follow each other up to the time of the run.
  const text = job
    .replace(ULID, idOf)
    .replace(INSTANT, (at) => new Date(Date.parse(at) + (number - 1e6) * JOB_EVERY_MS).toISOString());
  return recordedOf(text);
};

/** What a step wrote at once: a run of one stream, and the money behind it. */
const stepsOf = (events: readonly Recorded[]): Recorded[][] => {
  const steps: Recorded[][] = [];
  for (const event of events) {
    const step = steps.at(-1);
    const last = step?.at(-1);
    const goesOn = last && (last.stream === event.stream || event.stream === LEDGER_STREAM);
    if (step && goesOn && step[0]?.stream !== LEDGER_STREAM) step.push(event);
    else steps.push([event]);
  }
  return steps;
};

/** Commands by the causes of events: what no other event caused, and what no activity wrote by itself. */
const commandsOf = (events: readonly Recorded[]): string[] => [
  ...new Set(
    events.flatMap(({ type, stream, causationId }) =>
      type === 'proof.recorded' || stream === LEDGER_STREAM || causationId.includes('@') ? [] : [causationId],
    ),
  ),
];

const newEventOf = ({ stream: _, revision: __, ...event }: Recorded & { readonly id?: string }): NewEvent => {
  const { id: ___, ...kept } = event;
  return kept;
};

/** Fills an empty log with jobs, through the store's own append. */
export const createStoredJobs = (store: Pick<EventStore, 'appendMany'>) => {
  const revisions = new Map<string, bigint>();

  const appendOf = (stream: string, events: readonly Recorded[]): StreamAppend => {
    const expectedRevision = revisions.get(stream) ?? NO_STREAM;
    revisions.set(stream, expectedRevision + BigInt(events.length));
    return { stream, expectedRevision, events: events.map(newEventOf), commands: commandsOf(events) };
  };

  /** In the order of the log; what has begun waits for nothing, so that the store writes it together. */
  const write = (events: readonly Recorded[]): Promise<unknown>[] =>
    stepsOf(events).map(async (step) => {
      const appends = [...Map.groupBy(step, ({ stream }) => stream)].map(([stream, own]) =>
        appendOf(stream, own),
      );
      const appended = await store.appendMany(appends);
      if (!appended.ok || appended.replayed) throw new Error(`${appends[0]?.stream} stands there already`);
    });

  return {
    setUp: async (): Promise<void> => void (await Promise.all(write(recordedOf(setUp.join('\n'))))),

    /** Appends jobs `from` to `to` − 1. */
    jobs: async (from: number, to: number): Promise<void> => {
      for (let first = from; first < to; first += AT_ONCE) {
        const numbers = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, index) => first + index);
        await Promise.all(numbers.flatMap((number) => write(jobEvents(number))));
      }
    },

    /** A job whose result is proven and that was not paid yet. @returns its stream. */
    provenJob: async (number: number): Promise<string> => {
      const events = jobEvents(number);
      const proven = events.findIndex(({ type }) => type === 'job.proven');
      await Promise.all(write(events.slice(0, proven + 1)));
      return events[0]?.stream as string;
    },
  };
};
