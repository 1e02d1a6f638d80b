import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, instant } from '../time.ts';
import type { ObservationEvent } from './events.ts';
import { evolveObservation } from './fold.ts';
import { observationEventSchema } from './schema.ts';
import { chooseObservers, type ObservationTarget, type ObserverCandidate, termsOf } from './terms.ts';
import { type ObservationWindow, windowsAround } from './window.ts';

const SETTINGS = { network: 'test', roundSeconds: 60, rounds: 10 };
const NOW = '2026-01-01T00:07:30.000Z';
const [WINDOW] = windowsAround(SETTINGS, NOW) as [ObservationWindow];

const neighbour = (id: string, owner: string): ObserverCandidate => ({ id, key: `key of ${id}`, owner });
const target = (...neighbours: ObserverCandidate[]): ObservationTarget => ({
  providerId: 'provider-0',
  providerKey: 'key of provider-0',
  owner: 'owner-0',
  jobId: null,
  artifact: 'ab'.repeat(32),
  neighbours,
});

describe('windows', () => {
  it('begin with a round, and every instant is in each of its rounds in one of them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 86_400 }),
        fc.integer({ min: 2, max: 64 }),
        fc.integer({ min: 64 * 86_400_000, max: 4e12 }),
        (roundSeconds, rounds, ms) => {
          const settings = { network: 'test', roundSeconds, rounds };
          const windows = windowsAround(settings, instant(ms));
          expect(new Set(windows.map(({ stream }) => stream)).size).toBe(rounds);
          for (const [round, { from }] of windows.entries()) {
            const into = ms - epochMs(from) - round * roundSeconds * 1000;
            expect(into).toBeGreaterThanOrEqual(0);
            expect(into).toBeLessThan(roundSeconds * 1000);
          }
          const later = windowsAround(settings, instant(ms + roundSeconds * 1000));
          expect(later.slice(1)).toEqual(windows.slice(0, -1));
        },
      ),
    );
  });

  it('have streams of their own by network and length', () => {
    const streams = [SETTINGS, { ...SETTINGS, network: 'other' }, { ...SETTINGS, rounds: 5 }].map(
      (settings) => windowsAround(settings, NOW)[0]?.stream,
    );
    expect(new Set(streams).size).toBe(3);
    expect(WINDOW.from).toBe('2026-01-01T00:07:00.000Z');
  });
});

describe('observers', () => {
  const candidates = fc.uniqueArray(
    fc.record({ node: fc.integer({ min: 0, max: 30 }), owner: fc.integer({ min: 0, max: 8 }) }),
    { selector: ({ node }) => node, maxLength: 16 },
  );

  it('are two or three others, each of an owner of its own, whatever the order they are named in', () => {
    fc.assert(
      fc.property(candidates, (drawn) => {
        const all = drawn.map(({ node, owner }) => neighbour(`provider-${node}`, `owner-${owner}`));
        const chosen = chooseObservers(WINDOW, target(...all));
        expect(chooseObservers(WINDOW, target(...all.toReversed()))).toEqual(chosen);
        const eligible = all.filter(({ id, owner }) => id !== 'provider-0' && owner !== 'owner-0');
        const owners = new Set(eligible.map(({ owner }) => owner)).size;
        expect(chosen?.length ?? 0).toBe(owners < 2 ? 0 : Math.min(3, owners));
        if (!chosen) return;
        for (const observer of chosen) expect(eligible).toContainEqual(observer);
        expect(new Set(chosen.map(({ owner }) => owner)).size).toBe(chosen.length);
      }),
    );
  });

  it('change from window to window', () => {
    const all = Array.from({ length: 8 }, (_, index) =>
      neighbour(`provider-${index + 1}`, `owner-${index + 1}`),
    );
    const seen = new Set<string>();
    for (let index = 0; index < 200; index++) {
      const chosen = chooseObservers({ stream: `observation-${index}` }, target(...all));
      for (const { id } of chosen ?? []) seen.add(id);
    }
    expect(seen.size).toBe(8);
  });

  it('agree by more than half, and none observe where there are too few or nothing to keep', () => {
    const three = [1, 2, 3].map((index) => neighbour(`provider-${index}`, `owner-${index}`));
    const bytes = new Uint8Array(5000).fill(7);
    const terms = termsOf(WINDOW, target(...three), bytes);
    expect(terms).toMatchObject({ size: 5000, rounds: 10, everySeconds: 60, deadlineSeconds: 5, quorum: 2 });
    expect(terms?.observers.map(({ id }) => id).sort()).toEqual(['provider-1', 'provider-2', 'provider-3']);
    expect(termsOf(WINDOW, target(...three.slice(0, 2)), bytes)).toMatchObject({ quorum: 2 });
    expect(termsOf(WINDOW, target(...three.slice(0, 1)), bytes)).toBeNull();
    expect(termsOf(WINDOW, target(...three), new Uint8Array())).toBeNull();
  });
});

describe('the stream of a window', () => {
  const opened: ObservationEvent = {
    type: 'observation.opened',
    machineVersion: 1,
    network: 'test',
    from: WINDOW.from,
    roundSeconds: 60,
    rounds: 10,
    providers: 6,
    terms: 'ab'.repeat(32),
    openedAt: NOW,
  };
  const round: ObservationEvent = { type: 'observation.round-opened', round: 0, openedAt: NOW };

  it('is its terms and then its rounds', () => {
    const state = [opened, round, { ...round, round: 1 }].reduce(
      (before: Parameters<typeof evolveObservation>[0], event) => evolveObservation(before, event),
      null,
    );
    expect(state).toMatchObject({ providers: 6, opened: [0, 1] });
    expect(() => evolveObservation(null, round)).toThrow('never opened');
  });

  it('is stored in a form that its schema knows', () => {
    for (const event of [opened, round]) {
      expect(observationEventSchema.safeParse(event)).toMatchObject({ success: true });
      expect(observationEventSchema.safeParse({ ...event, more: 1 })).toMatchObject({ success: false });
    }
  });
});
