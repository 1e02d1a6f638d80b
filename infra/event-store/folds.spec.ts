import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import type { Fold } from '../../domain/fold.ts';
import { type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import { sampleEvent } from '../../test/contract/events.ts';
import { type FoldSource, foldsOf } from './folds.ts';
import { createMemoryLog, type MemoryLog } from './memory/log.ts';
import { createMemoryEventStore } from './memory/store.ts';

interface Noted {
  readonly type: 'sample.noted';
  readonly number: number;
  readonly text?: string;
}

/** Count, sum, and the numbers in order: an event that is left out, comes twice or too early shows. */
interface Notes {
  readonly count: number;
  readonly order: string;
  readonly text?: string;
}

const notes: Fold<Notes, Noted> = {
  initialState: { count: 0, order: '' },
  evolve: ({ count, order }, { number, text }) => ({
    count: count + 1,
    order: `${order.slice(-40)},${number}`,
    ...(text !== undefined && { text }),
  }),
};
const kept = { ...notes, snapshotVersion: 1 };

let log: MemoryLog;
let store: EventStore;
/** Events that were read since it was last asked. */
let read: number;

/** As a process opens it. */
const openStore = (own = log): EventStore => {
  const inner = createMemoryEventStore({ log: own });
  return {
    ...inner,
    readStream: async (...args) => {
      const events = await inner.readStream(...args);
      read += events.length;
      return events;
    },
    readStreams: async (...args) => {
      const found = await inner.readStreams(...args);
      for (const events of found.values()) read += events.length;
      return found;
    },
  };
};

const eventsRead = (): number => {
  const before = read;
  read = 0;
  return before;
};

beforeEach(() => {
  log = createMemoryLog();
  read = 0;
  store = openStore();
});

const note = async (stream: string, count: number, to: EventStore = store, text?: string): Promise<void> => {
  const revision = log.stream(stream).length - 1;
  const events = Array.from({ length: count }, (_, index) =>
    sampleEvent(
      { number: revision + 1 + index, ...(text !== undefined && { text }) },
      { type: 'sample.noted' },
    ),
  );
  const appended = await to.append({ stream, expectedRevision: BigInt(revision), events });
  if (!appended.ok) throw new Error(appended.reason);
};

/** What a fold from the first event comes to, without any cache. */
const plain = async (stream: string, to?: bigint, from: FoldSource = store): Promise<Notes> =>
  (await from.readStream(stream, to === undefined ? {} : { to }))
    .map(({ data }) => ({ type: 'sample.noted', ...data }) as unknown as Noted)
    .reduce(notes.evolve, notes.initialState);

describe('a stream that was folded', () => {
  it('costs what is new, whatever is there', async () => {
    await note('sample-1', 1_000);
    expect(await foldsOf(store).latest(notes, 'sample-1')).toEqual({
      state: await plain('sample-1'),
      revision: 999n,
      position: 1000n,
    });
    eventsRead();
    await foldsOf(store).latest(notes, 'sample-1');
    expect(eventsRead()).toBe(1);
    await note('sample-1', 3);
    expect(await foldsOf(store).latest(notes, 'sample-1')).toMatchObject({ revision: 1_002n });
    expect(eventsRead()).toBe(4);
  });

  it('shows what another process has written since', async () => {
    await note('sample-1', 2);
    await foldsOf(store).latest(notes, 'sample-1');
    await note('sample-1', 2, openStore());
    expect((await foldsOf(store).latest(notes, 'sample-1')).state).toEqual(await plain('sample-1'));
  });

  it('is read from its start by another fold', async () => {
    await note('sample-1', 3);
    await foldsOf(store).latest(notes, 'sample-1');
    const sum: Fold<number, Noted> = { initialState: 0, evolve: (before, { number }) => before + number };
    expect(await foldsOf(store).latest(sum, 'sample-1')).toEqual({ state: 3, revision: 2n, position: 3n });
  });

  it('that is empty has the state that all begin with, and is absent among several', async () => {
    const empty = { state: notes.initialState, revision: NO_STREAM, position: 0n };
    expect(await foldsOf(store).latest(notes, 'sample-1')).toEqual(empty);
    await note('sample-2', 1);
    const several = await foldsOf(store).latestOf(notes, ['sample-1', 'sample-2', 'sample-2']);
    expect([...several.keys()]).toEqual(['sample-2']);
  });

  it('is forgotten where the log is no longer the one that it was read from', async () => {
    await note('sample-1', 5);
    let current = store;
    const restored: FoldSource = {
      readStream: (...args) => current.readStream(...args),
      readStreams: (...args) => current.readStreams(...args),
      loadSnapshots: (...args) => current.loadSnapshots(...args),
      saveSnapshot: (...args) => current.saveSnapshot(...args),
    };
    await foldsOf(restored).latest(notes, 'sample-1');
    // Put back to before, and gone on with differently; then put back to before it began.
    for (const before of [[7], [5], [3], []]) {
      log = createMemoryLog();
      current = openStore();
      for (const count of before) await note('sample-1', count, current, 'another history');
      const found = await foldsOf(restored).latest(notes, 'sample-1');
      expect(found.state).toEqual(await plain('sample-1', undefined, current));
      const at = await foldsOf(restored).at(notes, 'sample-1', 2n);
      expect(at).toEqual(await plain('sample-1', 2n, current));
    }
  });

  it('takes a bounded place: the states of long ago give way', async () => {
    const text = 'x'.repeat(2 ** 20);
    const streams = Array.from({ length: 40 }, (_, stream) => `sample-${stream}`);
    for (const stream of streams) await note(stream, 3, store, text);
    for (const stream of streams) await foldsOf(store).latest(notes, stream);
    let warm = 0;
    // Newest first, and smaller from now on: to look for one drives out no other.
    for (const stream of streams.toReversed()) {
      await note(stream, 1);
      eventsRead();
      await foldsOf(store).latest(notes, stream);
      warm += Number(eventsRead() === 2);
    }
    expect(warm).toBe(31);
  });
});

describe('a long stream whose states are kept', () => {
  it('is not read again by a process that has just begun', async () => {
    await note('sample-1', 10_000);
    await foldsOf(store).latest(kept, 'sample-1');
    await note('sample-1', 20);
    const next = openStore();
    eventsRead();
    const found = await foldsOf(next).latest(kept, 'sample-1');
    expect(eventsRead()).toBe(21);
    expect(found).toEqual({ state: await plain('sample-1'), revision: 10_019n, position: 10_020n });
  });

  it('is read from its snapshot once, also where nothing is new', async () => {
    await note('sample-1', 500);
    await foldsOf(store).latest(kept, 'sample-1');
    let loaded = 0;
    const inner = openStore();
    const next: FoldSource = {
      ...inner,
      loadSnapshots: (streams) => {
        loaded += streams.length;
        return inner.loadSnapshots(streams);
      },
    };
    for (let turn = 0; turn < 3; turn++) await foldsOf(next).latest(kept, 'sample-1');
    expect(loaded).toBe(1);
  });

  it('is kept again after every 500 events, and not in between', async () => {
    const revisions = [];
    for (let turn = 0; turn < 12; turn++) {
      await note('sample-1', 100);
      await foldsOf(store).latest(kept, 'sample-1');
      revisions.push((await store.loadSnapshot('sample-1'))?.revision);
    }
    expect(revisions.slice(3)).toEqual([undefined, 499n, 499n, 499n, 499n, 499n, 999n, 999n, 999n]);
  });

  it('is folded anew where the states are of another fold', async () => {
    await note('sample-1', 600);
    await foldsOf(store).latest(kept, 'sample-1');
    const changed: Fold<Notes, Noted> = {
      ...kept,
      evolve: (before, event) => notes.evolve(before, { ...event, number: event.number + 1 }),
      snapshotVersion: 2,
    };
    const found = await foldsOf(openStore()).latest(changed, 'sample-1');
    expect(found.state.order).toMatch(/,600$/);
    expect(await store.loadSnapshot('sample-1')).toMatchObject({ version: 2 });
  });

  it('is folded anew where a snapshot stands behind the end of the log', async () => {
    await note('sample-1', 3);
    await store.saveSnapshot('sample-1', { revision: 9n, version: 1, state: { count: 99, order: '' } });
    expect((await foldsOf(store).latest(kept, 'sample-1')).state).toEqual(await plain('sample-1'));
  });
});

/** What several processes do, one after the other or at once. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      what: fc.constant('note' as const),
      stream: fc.nat(3),
      count: fc.integer({ min: 1, max: 300 }),
    }),
    fc.record({
      what: fc.constant('look' as const),
      process: fc.nat(2),
      streams: fc.array(fc.nat(4), { maxLength: 5 }),
    }),
    fc.record({
      what: fc.constant('back' as const),
      process: fc.nat(2),
      stream: fc.nat(4),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ what: fc.constant('restart' as const), process: fc.nat(2) }),
  ),
  { maxLength: 40 },
);

test.each([
  ['without snapshots', notes],
  ['with snapshots', kept],
])('whatever happens, a state is what its events come to: %s', async (_name, fold) => {
  const holds = fc.asyncProperty(steps, async (plot) => {
    log = createMemoryLog();
    store = openStore();
    const processes = [openStore(), openStore(), openStore()];
    const looks: Promise<void>[] = [];
    const look = async (process: number, streams: readonly string[], length: ReadonlyMap<string, number>) => {
      const found = await foldsOf(processes[process] as EventStore).latestOf(fold, streams);
      for (const stream of streams) {
        const { state, revision } = found.get(stream) ?? { state: fold.initialState, revision: NO_STREAM };
        expect(Number(revision) + 1).toBeGreaterThanOrEqual(length.get(stream) as number);
        expect(state).toEqual(revision === NO_STREAM ? fold.initialState : await plain(stream, revision));
      }
    };
    for (const step of plot) {
      if (step.what === 'note') await note(`sample-${step.stream}`, step.count);
      else if (step.what === 'restart') processes[step.process] = openStore();
      else if (step.what === 'look') {
        const streams = step.streams.map((number) => `sample-${number}`);
        looks.push(
          look(step.process, streams, new Map(streams.map((stream) => [stream, log.stream(stream).length]))),
        );
      } else {
        const stream = `sample-${step.stream}`;
        const revision = BigInt(Math.floor((log.stream(stream).length - 1) * step.share));
        if (revision < 0n) continue;
        const at = await foldsOf(processes[step.process] as EventStore).at(fold, stream, revision);
        expect(at).toEqual(await plain(stream, revision));
      }
    }
    await Promise.all(looks);
  });
  await fc.assert(holds, { numRuns: 60 });
});
