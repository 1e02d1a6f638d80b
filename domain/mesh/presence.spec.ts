import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missedBeats, nextPresence, type Presence, presenceAfter } from './presence.ts';

const told = fc.constantFrom<Presence | null>(null, 'up', 'suspected', 'lost');
const ms = fc.integer({ min: 0, max: 120_000 });

describe('presence', () => {
  it.each([
    [0, 0, 'up'],
    [7_499, 0, 'up'],
    [7_500, 1, 'up'],
    [12_500, 2, 'suspected'],
    [17_499, 2, 'suspected'],
    [17_500, 3, 'lost'],
    [600_000, 119, 'lost'],
  ])('after %i ms of silence: %i missed, %s', (silent, missed, presence) => {
    expect(missedBeats(silent)).toBe(missed);
    expect(presenceAfter(silent)).toBe(presence);
  });

  it('comes up by a beat alone', () => {
    fc.assert(
      fc.property(told, ms, ms, (before, silent, heard) => {
        const after = nextPresence(before, silent, Math.min(silent, heard));
        if (after === 'up' && before !== 'up') expect(presenceAfter(silent)).toBe('up');
      }),
    );
  });

  it('accuses nobody of a silence that nobody listened to', () => {
    fc.assert(
      fc.property(told, ms, (before, silent) => {
        const after = nextPresence(before, silent, 0);
        expect([before, 'up']).toContain(after);
      }),
    );
  });

  it('goes from up to lost when the whole silence was heard', () => {
    expect(nextPresence('up', 13_000, 13_000)).toBe('suspected');
    expect(nextPresence('suspected', 18_000, 18_000)).toBe('lost');
    expect(nextPresence('lost', 13_000, 13_000)).toBe('lost');
    expect(nextPresence('lost', 1_000, 1_000)).toBe('up');
  });
});
