import { describe, expect, test } from 'vitest';
import { addSeconds } from '../time.ts';
import type { SlaVerdict } from './events.ts';
import { judgeMember, judgeSla } from './sla.ts';

const startedAt = '2026-07-29T10:00:00.000Z';

/** A run with a term of 100 s that took `seconds`. */
const member = (missedInARow: number, seconds = 50, missedInAll = missedInARow, durationSeconds = 100) =>
  judgeMember({
    startedAt,
    finishedAt: addSeconds(startedAt, seconds),
    durationSeconds,
    missedInARow,
    missedInAll,
  });

const judged = (members: readonly SlaVerdict[], requiredUp = 2, lost = 0) =>
  judgeSla(members, { requiredUp, lost });

describe('settled 21: one member', () => {
  test('met in time, and the samples it rests on', () => {
    expect(member(0)).toEqual({ verdict: 'met', samples: 10, missedShare: 0, creditPercent: 0 });
  });

  test('two missed beats are none, three in a row are too many', () => {
    expect(member(2)).toMatchObject({ verdict: 'met', missedShare: 0.2, creditPercent: 0 });
    expect(member(3)).toMatchObject({ verdict: 'missed' });
  });

  test('settled 43: of three beats two missed for an hour is missed, though never three in a row', () => {
    const hour = member(2, 3600, 480, 4000);
    expect(hour).toMatchObject({
      verdict: 'missed',
      samples: 720,
      missedShare: 480 / 720,
      creditPercent: 100,
    });
  });

  test('a beat missed now and then is not: what chance explains at 5 % (exact binomial)', () => {
    // P(X ≥ 45 | 720, 0.05) = 0.078, P(X ≥ 48 | 720, 0.05) = 0.030.
    expect(member(1, 3600, 45, 4000)).toMatchObject({ verdict: 'met' });
    expect(member(1, 3600, 48, 4000)).toMatchObject({ verdict: 'missed', creditPercent: 10 });
    // Of few beats, three have to be missed.
    expect(member(1, 10, 2)).toMatchObject({ verdict: 'met' });
    expect(member(1, 25, 3)).toMatchObject({ verdict: 'missed' });
  });

  test('a run shorter than a heartbeat shows that it has no samples', () => {
    expect(member(0, 4.9)).toMatchObject({ verdict: 'met', samples: 0, missedShare: 0 });
    expect(member(3, 4.9)).toMatchObject({ verdict: 'missed', creditPercent: 10 });
  });

  test('finishing at the deadline is too late', () => {
    expect(member(0, 99.999)).toMatchObject({ verdict: 'met' });
    expect(member(0, 100)).toMatchObject({ verdict: 'missed', creditPercent: 10 });
  });

  test.each([
    [3, 0.3, 25],
    [5, 0.5, 25],
    [6, 0.6, 100],
    [10, 1, 100],
    [99, 1, 100],
  ] as const)('%j of ten beats missed: share %d, credit %d %%', (missed, missedShare, creditPercent) => {
    expect(member(missed)).toMatchObject({ verdict: 'missed', missedShare, creditPercent });
  });

  test('up to a tenth: 10 percent', () => {
    expect(member(3, 200, 3, 300)).toMatchObject({
      verdict: 'missed',
      missedShare: 3 / 40,
      creditPercent: 10,
    });
  });

  test('lateness counts where it is the larger share', () => {
    expect(member(0, 130)).toMatchObject({ verdict: 'missed', missedShare: 0.3, creditPercent: 25 });
    expect(member(0, 1000)).toMatchObject({ verdict: 'missed', missedShare: 1, creditPercent: 100 });
  });
});

describe('a job, by its members', () => {
  test('is met with as many as its tier promises', () => {
    expect(judged([member(0), member(0), member(0)])).toEqual({
      verdict: 'met',
      samples: 30,
      missedShare: 0,
      creditPercent: 0,
    });
    expect(judged([member(2), member(0), member(9)])).toMatchObject({ verdict: 'met' });
    expect(judged([member(3), member(0), member(9)])).toMatchObject({ verdict: 'missed' });
  });

  test('settled 43: one slow member decides neither the others nor their pay', () => {
    const slow = member(0, 200);
    const members = [member(0), member(0), slow];
    expect(members.map(({ creditPercent }) => creditPercent)).toEqual([0, 0, 100]);
    expect(judged(members)).toMatchObject({ verdict: 'met', creditPercent: 100 });
    expect(judged([member(0), slow])).toMatchObject({ verdict: 'missed' });
  });

  test('who was lost in the run has missed all of it', () => {
    expect(judged([member(0), member(0)], 2, 1)).toMatchObject({
      verdict: 'met',
      samples: 30,
      missedShare: 1 / 3,
    });
    expect(judged([member(0)], 2, 1)).toMatchObject({ verdict: 'missed' });
    expect(judged([], 1, 1)).toMatchObject({ verdict: 'missed', samples: 0, missedShare: 0 });
  });
});
