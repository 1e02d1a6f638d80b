import { describe, expect, test } from 'vitest';
import { addSeconds } from '../time.ts';
import { judgeSla } from './sla.ts';

const startedAt = '2026-07-29T10:00:00.000Z';

/** A run with a term of 100 s: `missed` heartbeats per member, finished after `seconds`. */
const judged = (missed: readonly number[], seconds = 50, requiredUp = 2) =>
  judgeSla({
    startedAt,
    finishedAt: addSeconds(startedAt, seconds),
    deadline: addSeconds(startedAt, 100),
    requiredUp,
    members: missed.map((missedHeartbeats) => ({ missedHeartbeats })),
  });

describe('settled 21', () => {
  test('met in time with every member, and the samples it rests on', () => {
    expect(judged([0, 0, 0])).toEqual({ verdict: 'met', samples: 30, missedShare: 0, creditPercent: 0 });
  });

  test('two missed beats are none, three make a member lost', () => {
    expect(judged([2, 2, 9])).toMatchObject({ verdict: 'met' });
    expect(judged([3, 0, 9])).toMatchObject({ verdict: 'missed' });
  });

  test('a run shorter than a heartbeat shows that it has no samples', () => {
    expect(judged([0, 0, 0], 4.9)).toMatchObject({ verdict: 'met', samples: 0, missedShare: 0 });
  });

  test('finishing at the deadline is too late', () => {
    expect(judged([0, 0, 0], 99.999)).toMatchObject({ verdict: 'met' });
    expect(judged([0, 0, 0], 100)).toMatchObject({ verdict: 'missed', creditPercent: 10 });
  });

  // Ten beats due per member, two members, both required.
  test.each([
    [[3, 0], 0.15, 25],
    [[10, 0], 0.5, 25],
    [[10, 1], 0.55, 100],
    [[10, 10], 1, 100],
    [[99, 99], 1, 100],
  ] as const)('missed beats %j: share %d, credit %d %%', (missed, missedShare, creditPercent) => {
    expect(judged(missed)).toMatchObject({ verdict: 'missed', missedShare, creditPercent });
  });

  test('up to a tenth: 10 percent', () => {
    // 20 beats due per member: 3 of 40 missed.
    expect(judged([3, 0], 99.9)).toMatchObject({ verdict: 'missed', missedShare: 3 / 38, creditPercent: 10 });
  });

  test('lateness counts where it is the larger share', () => {
    expect(judged([0, 0], 130)).toMatchObject({ verdict: 'missed', missedShare: 0.3, creditPercent: 25 });
    expect(judged([0, 0], 1000)).toMatchObject({ verdict: 'missed', missedShare: 1, creditPercent: 100 });
  });
});
