import { describe, expect, it } from 'vitest';
import { addMs } from '../../domain/time.ts';
import { createFailureDetector, GAP_MS, SETTLING_MS } from './failure-detector.ts';
import type { PresenceRow } from './heartbeats.ts';

const START = '2026-01-01T00:00:00.000Z';

/** An observer whose time and table the test moves; `wall` is what others write into the table. */
const observer = () => {
  let ms = 5_000;
  let wall = START;
  let away = false;
  let hearableMs = 3_600_000;
  const rows = new Map<string, PresenceRow>();
  const errors: unknown[] = [];
  const detector = createFailureDetector({
    monotonicMs: () => ms,
    beats: async () => {
      if (away) throw new Error('the database is away');
      return [...rows.values()];
    },
    onError: (error) => errors.push(error),
  });
  return {
    detector,
    errors,
    beat: (providerId: string, skewMs = 0) => {
      wall = addMs(wall, 1);
      rows.set(providerId, { providerId, lastSeen: addMs(wall, skewMs), told: 'up', hearableMs });
    },
    /** Awake and looking once a second; `each` happens before every look. */
    pass: async (passMs: number, each: () => void = () => undefined) => {
      for (let passed = 0; passed < passMs; passed += 1_000) {
        ms += 1_000;
        each();
        await detector.look();
      }
    },
    sleep: (sleptMs: number) => {
      ms += sleptMs;
    },
    /** For how long some worker has been there for the nodes, as their rows say from now on. */
    hearable: (heardMs: number) => {
      hearableMs = heardMs;
      for (const [id, row] of rows) rows.set(id, { ...row, hearableMs });
    },
    database: (answers: boolean) => {
      away = !answers;
    },
  };
};

describe('a failure detector', () => {
  it('counts the silence of a node that it has listened to', async () => {
    const { detector, pass, beat } = observer();
    await pass(SETTLING_MS, () => beat('a'));
    expect(detector.silentMs('a')).toBe(0);
    await pass(16_000);
    expect(detector.silentMs('a')).toBe(16_000);
    beat('a');
    await pass(1_000);
    expect(detector.silentMs('a')).toBe(0);
    expect(detector.sightings()).toMatchObject([{ providerId: 'a', silentMs: 0, heard: true }]);
  });

  it('counts no more of it than some worker was there to hear', async () => {
    const { detector, pass, beat, hearable } = observer();
    await pass(30_000, () => beat('a'));
    expect(detector.settled('a')).toBe(true);
    hearable(0);
    await pass(60_000);
    expect(detector.silentMs('a')).toBe(0);
    expect(detector.settled('a')).toBe(false);
    hearable(4_000);
    await pass(1_000);
    expect(detector.silentMs('a')).toBe(4_000);
    expect(detector.settled('a')).toBe(true);
  });

  it('accuses nobody of what it slept through, not even in its first moment awake', async () => {
    const { detector, pass, beat, sleep } = observer();
    await pass(30_000, () => beat('a'));
    const asked = detector.mark();
    sleep(20_000);
    expect(detector.silentMs('a')).toBe(0);
    expect(detector.heldMs(asked)).toBe(0);
    expect(await detector.held(asked)).toBe(false);
    expect(detector.silentMs('a')).toBe(0);
    // Its node has to find back first; then silence counts from nothing.
    await pass(SETTLING_MS);
    expect(detector.silentMs('a')).toBe(0);
    await pass(4_000);
    expect(detector.silentMs('a')).toBe(4_000);
  });

  it('accuses nobody while beats cannot be read', async () => {
    const { detector, pass, beat, database, errors } = observer();
    await pass(30_000, () => beat('a'));
    const asked = detector.mark();
    database(false);
    await pass(20_000);
    expect(errors).toHaveLength(20);
    expect(detector.silentMs('a')).toBe(0);
    expect(await detector.held(asked)).toBe(false);
    database(true);
    await pass(SETTLING_MS);
    expect(detector.silentMs('a')).toBe(0);
    expect(await detector.held(asked)).toBe(false);
  });

  it('accuses nobody while a beat could not be recorded', async () => {
    const { detector, pass, beat } = observer();
    await pass(30_000, () => beat('a'));
    await pass(10_000);
    expect(detector.silentMs('a')).toBe(10_000);
    const asked = detector.mark();
    detector.interrupted();
    expect(await detector.held(asked)).toBe(false);
    await pass(SETTLING_MS);
    expect(detector.silentMs('a')).toBe(0);
  });

  it('hears a beat that another worker recorded while this one slept', async () => {
    const { detector, pass, beat, sleep } = observer();
    await pass(30_000, () => beat('a'));
    sleep(20_000);
    beat('a');
    await pass(1_000);
    expect(detector.sightings()).toMatchObject([{ providerId: 'a', heard: true }]);
  });

  it('takes what stood in the table before it looked for nobody’s beat', async () => {
    const { detector, pass, beat } = observer();
    beat('a');
    await pass(1_000);
    expect(detector.sightings()).toMatchObject([{ providerId: 'a', heard: false }]);
    beat('b');
    await pass(1_000);
    expect(detector.sightings()).toMatchObject([
      { providerId: 'a', heard: false },
      { providerId: 'b', heard: true },
    ]);
  });

  it('believes no clock but its own', async () => {
    const { detector, pass, beat } = observer();
    // Written by workers whose clocks are an hour off, either way.
    let turn = 0;
    await pass(60_000, () => beat('a', turn++ % 2 === 0 ? 3_600_000 : -3_600_000));
    expect(detector.silentMs('a')).toBe(0);
    await pass(17_000);
    expect(detector.silentMs('a')).toBe(17_000);
  });

  it('takes no short delay for a gap', async () => {
    const { detector, pass, beat, sleep } = observer();
    await pass(30_000, () => beat('a'));
    const asked = detector.mark();
    sleep(GAP_MS - 1);
    expect(await detector.held(asked)).toBe(true);
    expect(detector.heldMs(asked)).toBe(GAP_MS - 1);
  });

  it('looks once for all who ask at the same time, and again for who asks later', async () => {
    let looks = 0;
    const detector = createFailureDetector({
      monotonicMs: () => 0,
      beats: async () => {
        looks++;
        return [];
      },
      onError: () => undefined,
    });
    await Promise.all([detector.look(), detector.look(), detector.look()]);
    expect(looks).toBe(1);
    const first = detector.look();
    // Once it is under way, what it reads may be older than a new question.
    await Promise.resolve();
    const second = detector.look();
    await Promise.all([first, second]);
    expect(looks).toBe(3);
  });
});
