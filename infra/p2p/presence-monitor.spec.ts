import { describe, expect, it } from 'vitest';
import type { Sighting } from './failure-detector.ts';
import { createPresenceMonitor } from './presence-monitor.ts';

const LAST_SEEN = '2026-01-01T00:00:00.000Z';

describe('presence monitor', () => {
  const scene = () => {
    const sighting: { now: Sighting; readable: boolean; leads: boolean } = {
      now: {
        providerId: 'provider-1',
        lastSeen: LAST_SEEN,
        told: 'up',
        hearableMs: 3_600_000,
        silentMs: 0,
        heard: true,
      },
      readable: true,
      leads: true,
    };
    const seen: string[] = [];
    const monitor = createPresenceMonitor({
      detector: { look: async () => sighting.readable, sightings: () => [sighting.now] },
      leads: () => sighting.leads,
      heartbeats: {
        told: async (_, told) => {
          sighting.now = { ...sighting.now, told };
        },
      },
      providerSeen: async (_, type, missed, lastSeen) => void seen.push(`${type} ${missed} ${lastSeen}`),
      onError: (error) => {
        throw error;
      },
    });
    const look = async (change: Partial<Sighting>): Promise<void> => {
      sighting.now = { ...sighting.now, ...change };
      await monitor.tick();
    };
    return { sighting, seen, look };
  };

  it('tells what the detector counts, once', async () => {
    const { seen, look } = scene();
    for (const silentMs of [5_000, 12_500, 13_500, 17_500, 60_000]) await look({ silentMs });
    expect(seen).toEqual([`provider.suspected 2 ${LAST_SEEN}`, `provider.lost 3 ${LAST_SEEN}`]);
  });

  it('says nothing while another worker judges', async () => {
    const { sighting, seen, look } = scene();
    sighting.leads = false;
    await look({ silentMs: 60_000 });
    expect(seen).toEqual([]);
    sighting.leads = true;
    await look({});
    expect(seen).toEqual([`provider.lost 11 ${LAST_SEEN}`]);
  });

  it('says nothing after a look that failed', async () => {
    const { sighting, seen, look } = scene();
    sighting.readable = false;
    await look({ silentMs: 60_000 });
    expect(seen).toEqual([]);
  });

  it('calls nobody back whom it has not heard, however little silence was counted', async () => {
    const { seen, look } = scene();
    await look({ told: 'lost', silentMs: 0, heard: false });
    expect(seen).toEqual([]);
    await look({ heard: true });
    expect(seen).toEqual([`provider.up 0 ${LAST_SEEN}`]);
  });
});
