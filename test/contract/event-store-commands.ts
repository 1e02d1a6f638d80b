import { describe, expect, test } from 'vitest';
import { type EventStore, NO_STREAM, type StreamAppend } from '../../domain/ports/event-store.ts';
import { sampleAppend, sampleEvent } from './events.ts';

interface TwoStores {
  readonly store: EventStore;
  peer(): EventStore;
}

/** `count` events that `commandId` causes right after `expectedRevision`; `mark` tells one decision from another. */
const decided = (
  commandId: string,
  expectedRevision: bigint,
  { count = 1, mark = '', stream = 'sample-1' } = {},
): StreamAppend => ({
  stream,
  expectedRevision,
  events: Array.from({ length: count }, (_, number) =>
    sampleEvent({ number, mark }, { causationId: commandId }),
  ),
  commands: [commandId],
});

/** Part of the contract of an event store: a stream decides a command once, whoever asks again, and knows what came of it. */
export const commandsContract = (under: () => TwoStores): void => {
  describe('commands', () => {
    const store = (): EventStore => under().store;

    test('a stream that knows a command answers with its first outcome, and writes nothing', async () => {
      await store().append(sampleAppend('sample-1', NO_STREAM));
      await store().appendMany([
        decided('command-a', 0n, { count: 2 }),
        sampleAppend('ledger-main', NO_STREAM, 2),
      ]);
      await store().append(decided('command-b', 2n));
      const events = await store().readStream('sample-1', { from: 1n, to: 2n });
      const first = { commandId: 'command-a', events, revision: 2n, position: 5n };
      for (const asked of [store(), under().peer()]) {
        // Decided again on another state, at the place that was free then, or at the end.
        for (const expected of [0n, 3n]) {
          const again = await asked.append(decided('command-a', expected, { mark: 'again' }));
          expect(again).toEqual({ ok: false, reason: 'decided', stream: 'sample-1', commands: [first] });
        }
      }
      expect(await store().head()).toMatchObject({ position: 6n });
      expect(await store().findCommands('sample-1', ['command-a', 'command-c'])).toEqual([first]);
      expect(await store().findCommands('sample-2', ['command-a'])).toEqual([]);
    });

    test('the very same append is a replay, as without commands', async () => {
      await store().append(decided('command-a', NO_STREAM, { count: 2 }));
      await store().append(sampleAppend('sample-1', 1n));
      expect(await store().append(decided('command-a', NO_STREAM, { count: 2 }))).toEqual({
        ok: true,
        position: 2n,
        replayed: true,
      });
    });

    test('of a step with several commands, none is written when one is known; the others may come alone', async () => {
      const both = (expectedRevision: bigint): StreamAppend => ({
        stream: 'sample-1',
        expectedRevision,
        events: ['command-a', 'command-b'].map((causationId) => sampleEvent({}, { causationId })),
        commands: ['command-a', 'command-b'],
      });
      await store().append(decided('command-a', NO_STREAM));
      expect(await store().append(both(0n))).toMatchObject({
        ok: false,
        reason: 'decided',
        commands: [{ commandId: 'command-a', revision: 0n, position: 1n }],
      });
      expect(await store().append(decided('command-b', 0n))).toMatchObject({ ok: true, position: 2n });
      expect(await store().append(both(1n))).toMatchObject({
        commands: [{ commandId: 'command-a' }, { commandId: 'command-b', revision: 1n }],
      });
    });

    test('a command that is new conflicts like anything else, and is not remembered', async () => {
      await store().append(sampleAppend('sample-1', NO_STREAM, 3));
      expect(await store().append(decided('command-a', 0n))).toMatchObject({
        ok: false,
        reason: 'conflict',
        actualRevision: 2n,
      });
      expect(await store().findCommands('sample-1', ['command-a'])).toEqual([]);
      expect(await store().append(decided('command-a', 2n))).toMatchObject({ ok: true });
    });

    test('one command on two streams is two', async () => {
      await store().append(decided('command-a', NO_STREAM));
      expect(await store().append(decided('command-a', NO_STREAM, { stream: 'sample-2' }))).toMatchObject({
        ok: true,
      });
    });

    test('of one command asked for by many at once, over two stores, one decision stands and all are told of it', async () => {
      await store().append(sampleAppend('sample-1', NO_STREAM));
      const stores = [store(), under().peer()];
      const ask = async (caller: number): Promise<string> => {
        for (let expected = 0n; ; expected++) {
          const asked = stores[caller % 2] as EventStore;
          const result = await asked.append(decided('command-a', expected, { mark: `${caller}` }));
          const [event] = await asked.readStream('sample-1', { from: 1n, to: 1n });
          if (result.ok) return JSON.stringify(event?.data['mark']);
          if (result.reason === 'decided') return JSON.stringify(result.commands[0]?.events[0]?.data['mark']);
        }
      };
      const told = await Promise.all(Array.from({ length: 24 }, (_, caller) => ask(caller)));
      expect(new Set(told).size).toBe(1);
      expect(await store().head()).toMatchObject({ position: 2n });
    });

    test('rejects a command that causes nothing, or events apart from each other, or is named twice', async () => {
      const events = ['command-a', 'other', 'command-a'].map((causationId) =>
        sampleEvent({}, { causationId }),
      );
      const append = (commands: readonly string[]) =>
        store().append({ stream: 'sample-1', expectedRevision: NO_STREAM, events, commands });
      await expect(append(['command-b'])).rejects.toThrow(RangeError);
      await expect(append(['command-a'])).rejects.toThrow(RangeError);
      await expect(append(['other', 'other'])).rejects.toThrow(RangeError);
      await expect(append(['two words'])).rejects.toThrow(RangeError);
      expect(await store().head()).toMatchObject({ position: 0n });
    });
  });
};
