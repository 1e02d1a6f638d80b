import { describe, expect, it } from 'vitest';
import { announcementOf } from './realtime/frames.ts';
import type { Listener } from './realtime/hub.ts';
import { createWatch } from './watch.ts';

/** A hub whose events a test tells by hand. */
const hub = () => {
  const listeners = new Set<Listener>();
  let position = 0n;
  return {
    attach: (listener: Listener) => void listeners.add(listener),
    detach: (listener: Listener) => void listeners.delete(listener),
    position: () => position,
    count: () => listeners.size,
    tell: (stream: string) => {
      position += 1n;
      const event = { stream, position } as Parameters<typeof announcementOf>[0];
      for (const listener of listeners) listener.deliver(announcementOf(event, new Set()));
    },
  };
};
const forever = new AbortController().signal;

describe('watch', () => {
  it('looks at once, and again after an event of the stream that came during the look', async () => {
    const source = hub();
    let looks = 0;
    const look = async () => {
      looks += 1;
      if (looks === 1) source.tell('job-1');
      return looks === 2 ? 'there' : null;
    };
    const shown = (position: bigint) => (position > 0n ? Promise.resolve() : new Promise(() => undefined));
    const found = await createWatch(source, forever)('job-1', look, {
      timeoutMs: 60_000,
      signal: forever,
      shown,
    });
    expect([found, looks, source.count()]).toEqual(['there', 2, 0]);
  });

  it('looks again when a look shows the event, not when the log tells of it', async () => {
    const source = hub();
    const shown = Promise.withResolvers<void>();
    const asked: bigint[] = [];
    source.tell('job-1');
    let row: string | null = null;
    let looks = 0;
    const look = async () => {
      looks += 1;
      return row;
    };
    const waiting = createWatch(source, forever, 60_000)('job-1', look, {
      timeoutMs: 60_000,
      signal: forever,
      shown: (position) => {
        asked.push(position);
        return shown.promise;
      },
    });
    await Promise.resolve();
    source.tell('job-1');
    row = 'there';
    shown.resolve();
    expect([await waiting, looks, asked]).toEqual(['there', 2, [1n, 2n]]);
  });

  it('looks again when a look shows what was told before it began', async () => {
    const source = hub();
    source.tell('job-1');
    const shown = Promise.withResolvers<void>();
    let row: string | null = null;
    const waiting = createWatch(source, forever, 60_000)('job-1', async () => row, {
      timeoutMs: 60_000,
      signal: forever,
      shown: () => shown.promise,
    });
    await Promise.resolve();
    row = 'there';
    shown.resolve();
    expect(await waiting).toBe('there');
  });

  it('looks once for what every look shows already, and again at once for an event that it shows', async () => {
    const source = hub();
    source.tell('job-1');
    let looks = 0;
    const look = async () => {
      looks += 1;
      return looks === 2 ? 'there' : null;
    };
    const waiting = createWatch(source, forever, 60_000)('job-1', look, {
      timeoutMs: 60_000,
      signal: forever,
      shown: () => null,
    });
    await new Promise(setImmediate);
    expect(looks).toBe(1);
    source.tell('job-2');
    await new Promise(setImmediate);
    expect(looks).toBe(1);
    source.tell('job-1');
    expect([await waiting, looks]).toEqual(['there', 2]);
  });

  it('answers at once when the process is about to stop', async () => {
    const source = hub();
    const stopping = new AbortController();
    const watch = createWatch(source, stopping.signal);
    const waiting = watch('job-1', async () => null, { timeoutMs: 60_000, signal: forever });
    stopping.abort();
    expect(await waiting).toBeNull();
    expect(await watch('job-1', async () => 'there', { timeoutMs: 60_000, signal: forever })).toBe('there');
    expect(source.count()).toBe(0);
  });

  it('gives up when the time is out or the caller is gone', async () => {
    const source = hub();
    const watch = createWatch(source, forever);
    expect(await watch('job-1', async () => null, { timeoutMs: 20, signal: forever })).toBeNull();
    const gone = new AbortController();
    const waiting = watch('job-1', async () => null, { timeoutMs: 60_000, signal: gone.signal });
    gone.abort();
    expect(await waiting).toBeNull();
    expect(source.count()).toBe(0);
  });

  it('lets a failed look through and lets go of the hub', async () => {
    const source = hub();
    const failing = createWatch(source, forever)('job-1', () => Promise.reject(new Error('no database')), {
      timeoutMs: 60_000,
      signal: forever,
    });
    await expect(failing).rejects.toThrow('no database');
    expect(source.count()).toBe(0);
  });
});
