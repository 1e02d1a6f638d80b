import { describe, expect, it } from 'vitest';
import { addMs } from '../../domain/time.ts';
import type { PresenceRow } from './heartbeats.ts';
import { createPresenceMonitor } from './presence-monitor.ts';

const START = '2026-01-01T00:00:00.000Z';

describe('presence monitor', () => {
  it('does not hold a database outage, in which no beat could be recorded, against the nodes', async () => {
    let clock = START;
    let down = false;
    const row: PresenceRow = { providerId: 'provider-1', lastSeen: START, told: 'up', hearableMs: 3_600_000 };
    const seen: string[] = [];
    const errors: unknown[] = [];
    const monitor = createPresenceMonitor({
      heartbeats: {
        due: async () => {
          if (down) throw new Error('the database is down');
          return [row];
        },
        told: async () => undefined,
      },
      leads: () => true,
      now: () => clock,
      providerSeen: async (_, type) => void seen.push(type),
      onError: (error) => errors.push(error),
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        clock = addMs(clock, 1000);
        await monitor.tick();
      }
    };

    down = true;
    await pass(30);
    expect(errors).toHaveLength(30);
    down = false;
    await pass(10);
    expect(seen).toEqual([]);
    await pass(5);
    expect(seen[0]).toBe('provider.suspected');
  });
});
