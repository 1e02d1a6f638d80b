import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Component, createHealth, type Probed } from './health.ts';

let clock = 0;
const now = () => `t${clock}`;
const component = (probe: () => Promise<Probed>, critical = false): Component => ({ critical, probe });

beforeEach(() => {
  clock = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('health', () => {
  it('R10: reports per component; one that fails or hangs harms no other', async () => {
    const health = createHealth({
      now,
      components: {
        fine: component(async () => ({ status: 'ok', lag: 3 })),
        broken: component(async () => {
          throw new Error('no route');
        }),
        hanging: component(() => new Promise(() => undefined)),
        off: component(async () => ({ status: 'off' })),
      },
    });
    const reporting = health.report();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await reporting).toEqual({
      status: 'degraded',
      failing: [],
      components: {
        fine: { status: 'ok', lag: 3, since: 't0' },
        broken: { status: 'down', cause: 'no route', since: 't0' },
        hanging: { status: 'down', cause: 'no answer within 2000 ms', since: 't0' },
        off: { status: 'off', since: 't0' },
      },
    });
  });

  it('is down when a critical component is, and tells since when', async () => {
    let status: Probed['status'] = 'ok';
    const health = createHealth({ now, components: { store: component(async () => ({ status }), true) } });
    expect((await health.report()).status).toBe('ok');
    clock = 1;
    status = 'down';
    expect(await health.report()).toMatchObject({
      status: 'down',
      failing: ['store'],
      components: { store: { since: 't1' } },
    });
    clock = 2;
    expect((await health.report()).components['store']?.since).toBe('t1');
    status = 'degraded';
    expect(await health.report()).toMatchObject({ status: 'degraded', failing: [] });
  });

  it('R137: readiness asks critical components alone', async () => {
    let isDown = false;
    const asked: string[] = [];
    const probe = (name: string, critical: boolean): Component =>
      component(async () => {
        asked.push(name);
        return { status: isDown ? 'down' : 'ok' };
      }, critical);
    const health = createHealth({
      now,
      components: { store: probe('store', true), workers: probe('workers', false) },
    });
    expect(await health.failing()).toEqual([]);
    isDown = true;
    expect(await health.failing()).toEqual(['store']);
    expect(asked).toEqual(['store', 'store']);
  });
});
