import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NewEvent, RecordedEvent } from '../../domain/event.ts';
import { canonicalJson } from '../../domain/json.ts';
import { type AppendResult, type EventStore, NO_STREAM } from '../../domain/ports/event-store.ts';
import type { Upcasters } from '../../domain/upcasters.ts';
import { commandsContract } from './event-store-commands.ts';
import { sampleAppend, sampleEvent, sampleOrigin } from './events.ts';

/** A running adapter on an empty log. `peer` opens a second store on the same log, as another process would. */
export interface StoreUnderTest {
  readonly store: EventStore;
  peer(options?: { upcasters?: Upcasters }): EventStore;
  dispose(): Promise<void>;
}

const positionOf = (result: AppendResult): bigint => {
  if (!result.ok) throw new Error(`${result.reason} on ${result.stream}`);
  return result.position;
};

const positions = (events: readonly RecordedEvent[]): bigint[] => events.map((event) => event.position);

const upTo = (last: number, first = 1): bigint[] =>
  Array.from({ length: last - first + 1 }, (_, index) => BigInt(first + index));

/** What every adapter of the event store port must do. */
export const eventStoreContract = (name: string, open: () => Promise<StoreUnderTest>): void => {
  describe(`event store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let store: EventStore;
    const all = () => store.readAll({ after: 0n, limit: 100_000 });

    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    describe('append', () => {
      test('gives positions from 1 and revisions from 0, and reads back what was written', async () => {
        const event = sampleEvent(
          {
            text: 'a "quoted"\nline\u0001 ünï \u2028 \ud83d\ude00 \\u0000 \\\\ud800',
            nested: { list: [1, 2.5, null, true] },
            left: undefined,
          },
          { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
        );
        const result = await store.append(
          { stream: 'sample-1', expectedRevision: NO_STREAM, events: [event] },
          sampleOrigin,
        );
        expect(result).toEqual({ ok: true, position: 1n, replayed: false });
        const [stored] = await store.readStream('sample-1');
        const { left: _, ...data } = event.data;
        expect(stored).toEqual({
          ...event,
          data,
          id: 'sample-1@0',
          stream: 'sample-1',
          revision: 0n,
          position: 1n,
          workflowId: 'workflow-1',
          runId: 'run-1',
          recordedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
        expect(Math.abs(Date.parse(stored?.recordedAt ?? '') - Date.now())).toBeLessThan(60_000);
      });

      test('keeps the order of a stream and of the log over interleaved streams', async () => {
        await store.append(sampleAppend('sample-a', NO_STREAM, 2));
        await store.append(sampleAppend('sample-b', NO_STREAM, 1));
        await store.append(sampleAppend('sample-a', 1n, 1));
        const ids = (await all()).map((event) => event.id);
        expect(ids).toEqual(['sample-a@0', 'sample-a@1', 'sample-b@0', 'sample-a@2']);
        expect((await store.readStream('sample-a')).map((event) => event.revision)).toEqual([0n, 1n, 2n]);
      });

      test('refuses a stale revision, a future revision and a second creation, and writes nothing', async () => {
        await store.append(sampleAppend('sample-1', NO_STREAM, 2));
        for (const expectedRevision of [0n, 5n, NO_STREAM]) {
          const result = await store.append(sampleAppend('sample-1', expectedRevision, 1, 'other'));
          expect(result).toEqual({
            ok: false,
            reason: 'conflict',
            stream: 'sample-1',
            expectedRevision,
            actualRevision: 1n,
          });
        }
        expect(await store.append(sampleAppend('sample-2', 0n))).toMatchObject({
          ok: false,
          actualRevision: NO_STREAM,
        });
        expect(await store.head()).toMatchObject({ position: 2n });
      });

      test('returns the first result for the same events at the same revision', async () => {
        const first = await store.append(sampleAppend('sample-1', NO_STREAM, 3), sampleOrigin);
        await store.append(sampleAppend('sample-1', 2n));
        const again = await store.append(sampleAppend('sample-1', NO_STREAM, 3), {
          workflowId: 'reset',
          runId: 'run-2',
        });
        expect(again).toEqual({ ok: true, position: positionOf(first), replayed: true });
        const peer = await under.peer().append(sampleAppend('sample-1', NO_STREAM, 3));
        expect(peer).toEqual({ ok: true, position: positionOf(first), replayed: true });
        expect(positions(await all())).toEqual(upTo(4));
      });

      test('tells a retry of part of a request from the request', async () => {
        await store.append(sampleAppend('sample-1', NO_STREAM, 2));
        expect(await store.append(sampleAppend('sample-1', NO_STREAM, 3))).toMatchObject({
          ok: false,
          actualRevision: 1n,
        });
        expect(await store.append(sampleAppend('sample-1', NO_STREAM, 1))).toMatchObject({
          ok: true,
          position: 1n,
        });
      });

      test('sees different content at the same revision as a conflict, in every hashed member', async () => {
        const event = sampleEvent({ number: 0 });
        const at = (changed: typeof event) =>
          store.append({ stream: 'sample-1', expectedRevision: NO_STREAM, events: [changed] });
        await at(event);
        const changes = [
          { type: 'sample.changed' },
          { schemaVersion: 2 },
          { data: { number: 1 } },
          { data: { number: 0, more: null } },
          { occurredAt: '2026-01-02T03:04:05.679Z' },
          { actor: 'node-1' },
          { correlationId: 'job-2' },
          { causationId: 'command-2' },
          { traceparent: '00-1-1-01' },
        ];
        for (const change of changes) expect(await at({ ...event, ...change })).toMatchObject({ ok: false });
        expect(await at({ ...event, data: { number: 0 } })).toMatchObject({ ok: true, replayed: true });
      });

      test('rejects what no caller may ask for, and writes nothing', async () => {
        const event = sampleEvent({});
        await expect(
          store.append({ stream: 'sample-1', expectedRevision: NO_STREAM, events: [] }),
        ).rejects.toThrow(RangeError);
        await expect(store.append(sampleAppend('two words', NO_STREAM))).rejects.toThrow(RangeError);
        await expect(store.append(sampleAppend('sample-1', -2n))).rejects.toThrow(RangeError);
        const broken = [
          { ...event, data: { at: 1n as never } },
          { ...event, actor: undefined as never },
        ];
        for (const bad of broken) {
          const append = { stream: 'sample-1', expectedRevision: NO_STREAM, events: [event, bad] };
          await expect(store.append(append)).rejects.toThrow(TypeError);
        }
        expect(await store.head()).toEqual({ position: 0n, hash: '0'.repeat(64) });
      });

      test('refuses text that no reader could carry, wherever it stands, and writes nothing', async () => {
        const poisons = ['\0', 'a\u0000b', '\ud800', 'a\udfff', '\udc00\ud800', '\\\0'];
        const bad = poisons.flatMap((text) => [
          sampleEvent({ text }),
          sampleEvent({ deep: { list: [{ text }] } }),
          sampleEvent({ [text]: 1 }),
          sampleEvent({}, { actor: text }),
          sampleEvent({}, { causationId: text }),
          sampleEvent({}, { traceparent: text }),
        ]);
        for (const event of bad) {
          const append = {
            stream: 'sample-1',
            expectedRevision: NO_STREAM,
            events: [sampleEvent({}), event],
          };
          await expect(store.append(append)).rejects.toMatchObject({ name: 'UnstorableError' });
          await expect(store.appendMany([sampleAppend('sample-2', NO_STREAM), append])).rejects.toMatchObject(
            {
              name: 'UnstorableError',
            },
          );
        }
        expect(await store.head()).toEqual({ position: 0n, hash: '0'.repeat(64) });
      });

      test('does not see changes that the caller makes to its events afterwards', async () => {
        const data = { number: 1 };
        const appended = store.append({
          stream: 'sample-1',
          expectedRevision: NO_STREAM,
          events: [sampleEvent(data)],
        });
        data.number = 2;
        await appended;
        expect((await store.readStream('sample-1'))[0]?.data).toEqual({ number: 1 });
      });
    });

    describe('appendMany', () => {
      test('appends to all streams or to none', async () => {
        await store.append(sampleAppend('sample-b', NO_STREAM));
        const both = (expected: bigint) => [
          sampleAppend('sample-a', NO_STREAM, 2),
          sampleAppend('sample-b', expected),
        ];
        expect(await store.appendMany(both(4n))).toEqual({
          ok: false,
          reason: 'conflict',
          stream: 'sample-b',
          expectedRevision: 4n,
          actualRevision: 0n,
        });
        expect(await store.readStream('sample-a')).toEqual([]);
        expect(await store.appendMany(both(0n))).toEqual({ ok: true, position: 4n, replayed: false });
        expect((await all()).map((event) => event.id)).toEqual([
          'sample-b@0',
          'sample-a@0',
          'sample-a@1',
          'sample-b@1',
        ]);
      });

      test('returns the first result when all of it stands there, and conflicts when only a part does', async () => {
        const request = [sampleAppend('sample-a', NO_STREAM), sampleAppend('sample-b', NO_STREAM)];
        await store.appendMany(request);
        await store.append(sampleAppend('sample-a', 0n));
        expect(await store.appendMany(request)).toEqual({ ok: true, position: 2n, replayed: true });
        const mixed = [sampleAppend('sample-a', NO_STREAM), sampleAppend('sample-c', NO_STREAM)];
        expect(await store.appendMany(mixed)).toMatchObject({
          ok: false,
          stream: 'sample-a',
          actualRevision: 1n,
        });
        expect(await store.readStream('sample-c')).toEqual([]);
      });

      test('rejects a stream named twice and an empty request', async () => {
        const append = sampleAppend('sample-a', NO_STREAM);
        await expect(store.appendMany([append, append])).rejects.toThrow(RangeError);
        await expect(store.appendMany([])).rejects.toThrow(RangeError);
      });
    });

    describe('an append behind another that may not come to stand', () => {
      const [first, next] = [sampleAppend('sample-1', NO_STREAM), sampleAppend('sample-1', 0n)];
      const behindFirst = { ...next, previous: first.events[0] as NewEvent };

      test('follows it, in one go or later', async () => {
        const results = await Promise.all([store.append(first), store.append(behindFirst)]);
        expect(results).toMatchObject([{ position: 1n }, { ok: true, position: 2n }]);
        const last = { ...sampleAppend('sample-1', 1n), previous: next.events[0] as NewEvent };
        expect(await under.peer().append(last)).toMatchObject({ ok: true, position: 3n });
        expect(await store.append(behindFirst)).toEqual({ ok: true, position: 2n, replayed: true });
      });

      test("is a conflict where another's stands in its place, however many come at once", async () => {
        const other = sampleAppend('sample-1', NO_STREAM, 1, 'other');
        expect(await under.peer().append(other)).toMatchObject({ ok: true });
        const refused = {
          ok: false,
          reason: 'conflict',
          stream: 'sample-1',
          expectedRevision: 0n,
          actualRevision: 0n,
        };
        const results = await Promise.all([store.append(first), store.append(behindFirst)]);
        expect(results).toMatchObject([{ ok: false, reason: 'conflict' }, refused]);
        expect(await store.append(behindFirst)).toEqual(refused);
        // An append that does not care follows, and does not take it with it.
        const free = sampleAppend('sample-1', 0n, 1, 'free');
        const mixed = await Promise.all([store.append(free), store.append(behindFirst)]);
        expect(mixed).toMatchObject([{ ok: true, position: 2n }, { ok: false }]);
        expect(await store.head()).toMatchObject({ position: 2n });
      });
    });

    describe('concurrent appends', () => {
      test('one conflict harms only its caller', async () => {
        await store.append(sampleAppend('sample-1', NO_STREAM));
        const results = await Promise.all([
          store.append(sampleAppend('sample-2', NO_STREAM)),
          store.append(sampleAppend('sample-1', NO_STREAM, 1, 'other')),
          store.append(sampleAppend('sample-1', NO_STREAM)),
          store.append(sampleAppend('sample-1', 0n)),
          store.append(sampleAppend('sample-3', NO_STREAM, 2)),
        ]);
        expect(results.map((result) => (result.ok ? result.replayed : 'conflict'))).toEqual([
          false,
          'conflict',
          true,
          false,
          false,
        ]);
        expect(positions(await all())).toEqual(upTo(5));
      });

      test('appends that chain on one stream all succeed in order', async () => {
        const results = await Promise.all(
          upTo(40, 0).map((at) => store.append(sampleAppend('ledger-main', at - 1n))),
        );
        expect(results.map(positionOf)).toEqual(upTo(41));
      });

      test('of racing appends at one revision exactly one succeeds, over two stores', async () => {
        const stores = [store, under.peer()];
        const results = await Promise.all(
          upTo(40).map((mark) =>
            (stores[Number(mark) % 2] as EventStore).append(
              sampleAppend('sample-1', NO_STREAM, 1, `${mark}`),
            ),
          ),
        );
        expect(results.filter((result) => result.ok)).toHaveLength(1);
        for (const result of results)
          if (!result.ok) expect(result).toMatchObject({ reason: 'conflict', actualRevision: 0n });
      });

      test('32 writers over two stores leave no gap and no inversion', async () => {
        const stores = [store, under.peer()];
        const write = async (writer: number) => {
          let last = 0n;
          for (let revision = -1n; revision < 19n; revision += 2n) {
            const result = await (stores[writer % 2] as EventStore).append(
              sampleAppend(`sample-${writer}`, revision, 2),
            );
            expect(positionOf(result)).toBeGreaterThan(last);
            last = positionOf(result);
          }
        };
        await Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)));
        const events = await all();
        expect(positions(events)).toEqual(upTo(32 * 20));
        for (let writer = 0; writer < 32; writer++) {
          const own = events.filter((event) => event.stream === `sample-${writer}`);
          expect(own.map((event) => event.revision)).toEqual(upTo(19, 0));
        }
      });
    });

    commandsContract(() => under);

    describe('reading', () => {
      beforeEach(async () => {
        await store.append(sampleAppend('sample-a', NO_STREAM, 5));
        await store.append({
          stream: 'sample-b',
          expectedRevision: NO_STREAM,
          events: [sampleEvent({}), sampleEvent({}, { type: 'sample.ended' })],
        });
        await store.append(sampleAppend('sample-a', 4n));
      });

      test('a stream from and to a revision, inclusive', async () => {
        const revisions = async (from?: bigint, to?: bigint) =>
          (
            await store.readStream('sample-a', {
              ...(from !== undefined && { from }),
              ...(to !== undefined && { to }),
            })
          ).map((event) => event.revision);
        expect(await revisions()).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
        expect(await revisions(2n)).toEqual([2n, 3n, 4n, 5n]);
        expect(await revisions(undefined, 1n)).toEqual([0n, 1n]);
        expect(await revisions(3n, 3n)).toEqual([3n]);
        expect(await revisions(6n)).toEqual([]);
        expect(await store.readStream('sample-unknown')).toEqual([]);
      });

      test('several whole streams at once', async () => {
        const found = await store.readStreams(['sample-a', 'sample-unknown', 'sample-b']);
        expect(found.has('sample-unknown')).toBe(false);
        for (const stream of ['sample-a', 'sample-b']) {
          expect(found.get(stream) ?? []).toEqual(await store.readStream(stream));
        }
        expect(await store.readStreams([])).toEqual(new Map());
      });

      test('names of streams, by name and page by page', async () => {
        await store.append(sampleAppend('sample-c', NO_STREAM, 2));
        await store.append(sampleAppend('sampler-a', NO_STREAM));
        await store.append(sampleAppend('other-a', NO_STREAM));
        expect(await store.listStreams('sample-', '', 9)).toEqual(['sample-a', 'sample-b', 'sample-c']);
        expect(await store.listStreams('sample-', '', 2)).toEqual(['sample-a', 'sample-b']);
        expect(await store.listStreams('sample-', 'sample-a', 9)).toEqual(['sample-b', 'sample-c']);
        expect(await store.listStreams('sample-', 'sample-c', 9)).toEqual([]);
        expect(await store.listStreams('nobody-', '', 9)).toEqual([]);
      });

      test('several streams at once, each once and behind its own revision', async () => {
        const after = new Map([
          ['sample-a', 1n],
          ['sample-b', 9n],
        ]);
        const found = await store.readStreams(['sample-a', 'sample-b', 'sample-a', 'sample-unknown'], after);
        expect([...found.keys()]).toEqual(['sample-a']);
        expect(found.get('sample-a')).toEqual(await store.readStream('sample-a', { from: 2n }));
        expect(await store.readStreams(['sample-b', 'sample-b'])).toEqual(
          new Map([['sample-b', await store.readStream('sample-b')]]),
        );
      });

      test('long streams that lie between each other, from anywhere on', async () => {
        const lengths = new Map<string, number>();
        const appends = fc.array(
          fc.record({ stream: fc.integer({ min: 0, max: 4 }), count: fc.integer({ min: 1, max: 130 }) }),
          { minLength: 1, maxLength: 12 },
        );
        const wanted = fc.array(
          fc.record({ stream: fc.integer({ min: 0, max: 5 }), after: fc.integer({ min: -1, max: 400 }) }),
          { maxLength: 6 },
        );
        const written = fc.asyncProperty(appends, wanted, async (runs, reads) => {
          for (const { stream: number, count } of runs) {
            const stream = `sample-long-${number}`;
            const length = lengths.get(stream) ?? 0;
            await store.append(sampleAppend(stream, BigInt(length - 1), count));
            lengths.set(stream, length + count);
          }
          const after = new Map(reads.map((read) => [`sample-long-${read.stream}`, BigInt(read.after)]));
          const found = await store.readStreams([...after.keys()], after);
          for (const [stream, revision] of after) {
            const revisions = (found.get(stream) ?? []).map((event) => Number(event.revision));
            const first = Number(revision) + 1;
            const length = Math.max(0, (lengths.get(stream) ?? 0) - first);
            expect(revisions).toEqual(Array.from({ length }, (_, index) => first + index));
            expect(found.get(stream) ?? []).toEqual(await store.readStream(stream, { from: BigInt(first) }));
          }
        });
        await fc.assert(written, { numRuns: 15 });
      });

      test('any page of a stream is what the log has of it there', async () => {
        for (let round = 0; round < 12; round++) {
          const stream = `sample-part-${round % 3}`;
          const { length } = await store.readStream(stream);
          await store.append(sampleAppend(stream, BigInt(length - 1), 1 + ((round * 7) % 5)));
        }
        const log = await store.readAll({ after: 0n, limit: 1_000 });
        const position = fc.bigInt({ min: 0n, max: BigInt(log.length + 2) });
        const number = fc.integer({ min: 0, max: 3 });
        const read = fc.asyncProperty(position, position, number, async (after, to, stream) => {
          const name = `sample-part-${stream}`;
          const found = await store.readAll({ after, to, limit: 4, stream: name });
          const wanted = log.filter((event) => event.stream === name && event.position > after);
          expect(found).toEqual(wanted.filter((event) => event.position <= to).slice(0, 4));
          expect(await store.readAll({ after, limit: 4, stream: name })).toEqual(wanted.slice(0, 4));
        });
        await fc.assert(read, { numRuns: 60 });
      });

      test('pages of the log, by type and by stream', async () => {
        const page = async (options: Parameters<EventStore['readAll']>[0]) =>
          positions(await store.readAll(options));
        expect(await page({ after: 0n, limit: 3 })).toEqual([1n, 2n, 3n]);
        expect(await page({ after: 3n, limit: 3 })).toEqual([4n, 5n, 6n]);
        expect(await page({ after: 8n, limit: 3 })).toEqual([]);
        expect(await page({ after: 0n, limit: 9, types: ['sample.ended'] })).toEqual([7n]);
        expect(await page({ after: 0n, limit: 9, types: [] })).toEqual([]);
        expect(await page({ after: 1n, to: 4n, limit: 9 })).toEqual([2n, 3n, 4n]);
        expect(await page({ after: 1n, to: 1n, limit: 9 })).toEqual([]);
        expect(await page({ after: 6n, to: 99n, limit: 9 })).toEqual([7n, 8n]);
        expect(await page({ after: 0n, to: 6n, limit: 9, types: ['sample.ended'] })).toEqual([]);
        expect(await page({ after: 0n, to: 7n, limit: 9, types: ['sample.ended'] })).toEqual([7n]);
        expect(await page({ after: 4n, to: 7n, limit: 9, stream: 'sample-a' })).toEqual([5n]);
        expect(await page({ after: 4n, limit: 9, stream: 'sample-a' })).toEqual([5n, 8n]);
        expect(await page({ after: 0n, limit: 9, stream: 'sample-b', types: ['sample.ended'] })).toEqual([
          7n,
        ]);
      });
    });

    test('chains hashes that anybody can recompute', async () => {
      const sha256 = (...parts: (Buffer | string)[]) => {
        const hash = createHash('sha256');
        for (const part of parts) hash.update(part);
        return hash.digest();
      };
      await store.append(sampleAppend('sample-a', NO_STREAM, 3), sampleOrigin);
      await store.appendMany([sampleAppend('sample-b', NO_STREAM, 2, 'ü'), sampleAppend('sample-a', 2n)]);
      let chain: Buffer = Buffer.alloc(32);
      for (const event of await all()) {
        const { position: _p, recordedAt: _r, workflowId: _w, runId: _n, hash, ...hashed } = event;
        const leaf = sha256(Buffer.from([0]), canonicalJson({ ...hashed, revision: Number(event.revision) }));
        chain = sha256(chain, leaf);
        expect(hash).toBe(chain.toString('hex'));
      }
      expect(await store.head()).toEqual({ position: 6n, hash: chain.toString('hex') });
    });

    describe('subscribe', () => {
      test('delivers the past and then the present, without gap or duplicate, while others write', async () => {
        const total = 32 * 25;
        const stores = [store, under.peer()];
        const write = async (writer: number) => {
          for (let revision = -1n; revision < 24n; revision++) {
            await (stores[writer % 2] as EventStore).append(sampleAppend(`sample-${writer}`, revision));
          }
        };
        const read = async (reader: EventStore, after: bigint) => {
          const seen: bigint[] = [];
          for await (const batch of reader.subscribe(after, AbortSignal.timeout(30_000))) {
            seen.push(...positions(batch));
            if (seen.at(-1) === BigInt(total)) return seen;
          }
          return seen;
        };
        const reads = [read(store, 0n), read(stores[1] as EventStore, 0n), read(store, 100n)];
        await Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)));
        expect(await reads[0]).toEqual(upTo(total));
        expect(await reads[1]).toEqual(upTo(total));
        expect(await reads[2]).toEqual(upTo(total, 101));
      });

      test('reads a long past in order', async () => {
        for (let revision = -1n; revision < 2_400n; revision += 400n) {
          await store.append(sampleAppend('sample-long', revision, 400));
        }
        const seen: bigint[] = [];
        for await (const batch of store.subscribe(10n, AbortSignal.timeout(30_000))) {
          seen.push(...positions(batch));
          if (seen.at(-1) === 2_800n) break;
        }
        expect(seen).toEqual(upTo(2_800, 11));
      });

      test('hears a write of another store well before the next poll', async () => {
        const iterator = store.subscribe(0n, AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
        await store.append(sampleAppend('sample-1', NO_STREAM));
        await iterator.next();
        const next = iterator.next();
        await under.peer().append(sampleAppend('sample-1', 0n));
        expect(positions((await next).value ?? [])).toEqual([2n]);
      });

      test('ends when aborted, before and while waiting', async () => {
        expect(await store.subscribe(0n, AbortSignal.abort())[Symbol.asyncIterator]().next()).toMatchObject({
          done: true,
        });
        const controller = new AbortController();
        const waiting = store.subscribe(0n, controller.signal)[Symbol.asyncIterator]().next();
        controller.abort();
        expect(await waiting).toMatchObject({ done: true });
      });

      test('tells how far the log goes, whoever writes, until aborted or closed', async () => {
        await store.append(sampleAppend('sample-1', NO_STREAM, 2));
        const controller = new AbortController();
        const iterators = [store, under.peer()].map((each) =>
          each.heads(1n, controller.signal)[Symbol.asyncIterator](),
        );
        const next = () => Promise.all(iterators.map((iterator) => iterator.next()));
        expect(await next()).toMatchObject([{ value: 2n }, { value: 2n }]);
        const waiting = next();
        await store.append(sampleAppend('sample-1', 1n));
        expect(await waiting).toMatchObject([{ value: 3n }, { value: 3n }]);
        const ends = next();
        controller.abort();
        expect(await ends).toMatchObject([{ done: true }, { done: true }]);
        const last = store.heads(3n, new AbortController().signal)[Symbol.asyncIterator]().next();
        await store.close();
        expect(await last).toMatchObject({ done: true });
      });

      test('ends when the store closes', async () => {
        const waiting = store.subscribe(0n, new AbortController().signal)[Symbol.asyncIterator]().next();
        await store.close();
        expect(await waiting).toMatchObject({ done: true });
        await expect(store.append(sampleAppend('sample-1', NO_STREAM))).rejects.toThrow('closed');
      });
    });

    test('upcasts on every read path and leaves what is hashed alone', async () => {
      const upcasters: Upcasters = {
        'sample.happened': { 1: (data) => ({ ...data, two: true }), 2: (data) => ({ ...data, three: true }) },
      };
      const sample = sampleAppend('sample-1', NO_STREAM);
      const commands = [sample.events[0]?.causationId as string];
      await store.append({ ...sample, commands });
      const reader = under.peer({ upcasters });
      const [plain] = await store.readStream('sample-1');
      const lifted = { ...plain, schemaVersion: 3, data: { number: 0, mark: '', two: true, three: true } };
      expect(await reader.readStream('sample-1')).toEqual([lifted]);
      expect(await reader.readStreams(['sample-1'])).toEqual(new Map([['sample-1', [lifted]]]));
      expect(await reader.findCommands('sample-1', commands)).toMatchObject([{ events: [lifted] }]);
      expect(await reader.readAll({ after: 0n, limit: 1 })).toEqual([lifted]);
      const iterator = reader.subscribe(0n, AbortSignal.timeout(30_000))[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toEqual([lifted]);
      await iterator.return?.();
      expect(await reader.append(sampleAppend('sample-1', NO_STREAM))).toMatchObject({
        ok: true,
        replayed: true,
      });
    });

    test('keeps the newest snapshot of a stream', async () => {
      expect(await store.loadSnapshot('sample-1')).toBeNull();
      const state = { value: 'open', context: { text: 'ü\u0000', list: [1] } };
      await store.saveSnapshot('sample-1', { revision: 5n, version: 1, state });
      expect(await store.loadSnapshot('sample-1')).toEqual({ revision: 5n, version: 1, state });
      await store.saveSnapshot('sample-1', { revision: 9n, version: 2, state: 'closed' });
      await store.saveSnapshot('sample-1', { revision: 7n, version: 1, state });
      expect(await store.loadSnapshot('sample-1')).toEqual({ revision: 9n, version: 2, state: 'closed' });
      await expect(
        store.saveSnapshot('sample-1', { revision: 10n, version: 1, state: undefined }),
      ).rejects.toThrow(TypeError);
    });

    test('saves snapshots of many streams at once, and of one stream the newest', async () => {
      const snapshot = (revision: bigint) => ({
        revision,
        version: 1,
        state: { revision: String(revision) },
      });
      const streams = Array.from({ length: 20 }, (_, index) => `sample-${index}`);
      const revisions = [3n, 1n, 2n];
      await Promise.all(
        revisions.flatMap((revision) =>
          streams.map((stream) => store.saveSnapshot(stream, snapshot(revision))),
        ),
      );
      for (const stream of streams) expect(await store.loadSnapshot(stream), stream).toEqual(snapshot(3n));
      const found = await store.loadSnapshots(['sample-1', 'sample-unknown', 'sample-2', 'sample-1']);
      expect(found).toEqual(
        new Map([
          ['sample-1', snapshot(3n)],
          ['sample-2', snapshot(3n)],
        ]),
      );
    });
  });
};
