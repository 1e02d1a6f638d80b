import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSeconds, epochMs, instant, msBetween } from '../time.ts';
import { EPOCH_SECONDS, epochAt, epochStart, planEpochs, topologyStream } from './epoch.ts';

const settings = { network: 'test', epochSeconds: EPOCH_SECONDS };

describe('epochs', () => {
  it('R93: are numbered floor(t / length), 3600 s unless set otherwise, and begin where the one before ends', () => {
    expect(EPOCH_SECONDS).toBe(3600);
    const boundary = '2026-01-01T01:00:00Z';
    expect(epochAt(boundary, 3600)).toBe(epochAt('2026-01-01T00:59:59.999Z', 3600) + 1);
    expect(epochAt(boundary, 3600)).toBe(Math.floor(epochMs(boundary) / 3_600_000));
    fc.assert(
      fc.property(fc.nat({ max: 4_000_000 }), fc.integer({ min: 1, max: 86_400 }), (epoch, seconds) => {
        expect(epochAt(epochStart(epoch, seconds), seconds)).toBe(epoch);
      }),
    );
  });

  it('have one stream per network, length and number', () => {
    const streams = [
      topologyStream(settings, 1),
      topologyStream(settings, 2),
      topologyStream({ ...settings, network: 'other' }, 1),
      topologyStream({ ...settings, epochSeconds: 60 }, 1),
    ];
    expect(new Set(streams).size).toBe(4);
    for (const stream of streams) expect(stream).toMatch(/^topology-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });
});

describe('the plan', () => {
  const now = '2026-01-01T10:20:00.000Z';

  it('R94: has registration closed a whole epoch before the draw, in a network that has run for long', () => {
    const [running, next] = planEpochs(settings, now, '2025-06-01T00:00:00.000Z');
    expect(running).toMatchObject({
      epoch: epochAt(now, 3600),
      registrationClosesAt: '2026-01-01T09:00:00.000Z',
      startsAt: '2026-01-01T10:00:00.000Z',
      endsAt: '2026-01-01T11:00:00.000Z',
      holdsUntil: '2026-01-01T12:00:00.000Z',
      bootstrap: false,
    });
    expect(next).toMatchObject({
      registrationClosesAt: '2026-01-01T10:00:00.000Z',
      startsAt: '2026-01-01T11:00:00.000Z',
      bootstrap: false,
    });
  });

  it('gives a new network its first epochs at once, and says that they are an exception', () => {
    const closes = addSeconds(now, 20);
    const first = planEpochs(settings, now, null);
    expect(first.map(({ registrationClosesAt }) => registrationClosesAt)).toEqual([closes, closes]);
    expect(first.map(({ startsAt }) => startsAt)).toEqual([closes, '2026-01-01T11:00:00.000Z']);
    expect(first.map(({ bootstrap }) => bootstrap)).toEqual([true, true]);
    const later = planEpochs(settings, addSeconds(now, 3600), closes);
    expect(later.map(({ bootstrap }) => bootstrap)).toEqual([true, false]);
    expect(later[0]).toEqual(first[1]);
  });

  it('closes no registration after the start, and leaves every epoch its time, whatever length and hour', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 100_000 }),
        fc.nat({ max: 2 ** 40 }),
        fc.option(fc.nat({ max: 2 ** 21 })),
        (epochSeconds, ms, ago) => {
          const at = instant(ms + 2 ** 31);
          const since = ago === null ? null : instant(ms + 2 ** 31 - ago);
          for (const plan of planEpochs({ network: 'test', epochSeconds }, at, since)) {
            expect(msBetween(plan.registrationClosesAt, plan.startsAt)).toBeGreaterThanOrEqual(0);
            expect(msBetween(plan.startsAt, plan.endsAt)).toBeGreaterThanOrEqual(0);
            expect(msBetween(plan.endsAt, plan.holdsUntil)).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});
