import { beforeEach, describe, expect, it } from 'vitest';
import type { Decider } from '../../domain/decider.ts';
import { accept } from '../../domain/decision.ts';
import { reject } from '../../domain/errors.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createMemoryEventStore } from '../event-store/memory/store.ts';
import { createCommandHandler } from './handle-command.ts';

interface Added {
  readonly type: 'counter.added';
  readonly amount: number;
}
type Command = { readonly type: 'add'; readonly amount: number };

/** Counts up to 10; zero changes nothing. */
const counter: Decider<number, Command, Added> = {
  initialState: 0,
  evolve: (sum, { amount }) => sum + amount,
  decide: (sum, { amount }) => {
    if (sum + amount > 10) return reject('CONFLICT', `${sum} is there`);
    return amount === 0 ? accept() : accept({ type: 'counter.added', amount });
  },
};

let store: EventStore;
beforeEach(() => {
  store = createMemoryEventStore();
});

const add = (amount: number, commandId: string, over: Partial<EventStore> = {}) => {
  const seen = { ...store, ...over };
  const handle = createCommandHandler({
    store: seen,
    append: (own) => seen.append(own),
    now: () => new Date().toISOString(),
  });
  return handle(counter, 'counter-1', { type: 'add', amount }, { actor: 'test', commandId });
};

describe('a command', () => {
  it('is decided once: asked again it gets its first answer, whatever happened since', async () => {
    const first = await add(3, 'command-1');
    expect(first).toEqual({ ok: true, state: 3, revision: 0n, position: 1n });
    await add(7, 'command-2');
    expect(await add(3, 'command-1')).toEqual(first);
    expect(await store.readStream('counter-1')).toHaveLength(2);
  });

  it('is decided on the newest state when another was first', async () => {
    let isFirst = true;
    const outcome = await add(3, 'command-1', {
      append: async (request) => {
        if (isFirst) await add(5, 'command-2');
        isFirst = false;
        return store.append(request);
      },
    });
    expect(outcome).toEqual({ ok: true, state: 8, revision: 1n, position: 2n });
  });

  it('that two send at once has one effect, and both get its answer', async () => {
    const both = await Promise.all([add(3, 'command-1'), add(3, 'command-1')]);
    expect(both).toEqual([both[0], both[0]]);
    expect(await store.readStream('counter-1')).toHaveLength(1);
  });

  it('that changed nothing, or was refused, leaves no trace: it is decided again', async () => {
    expect(await add(0, 'command-1')).toEqual({ ok: true, state: 0, revision: -1n, position: null });
    expect(await add(11, 'command-2')).toMatchObject({ ok: false, code: 'CONFLICT' });
    expect(await add(4, 'command-1')).toMatchObject({ state: 4 });
    expect(await add(6, 'command-2')).toMatchObject({ state: 10 });
  });

  it('is its id: another under the same id is not looked at, and gets the answer of the first', async () => {
    const first = await add(3, 'command-1');
    expect(await add(5, 'command-1')).toEqual(first);
    expect(await add(11, 'command-1')).toEqual(first);
    expect(await store.readStream('counter-1')).toHaveLength(1);
  });

  it('fails with the store, and is found decided afterwards when it was', async () => {
    const lost = add(3, 'command-1', {
      append: async (request) => {
        await store.append(request);
        throw new Error('no answer');
      },
    });
    await expect(lost).rejects.toThrow('no answer');
    expect(await add(3, 'command-1')).toEqual({ ok: true, state: 3, revision: 0n, position: 1n });
  });
});
