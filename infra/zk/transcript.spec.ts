import { describe, expect, test } from 'vitest';
import { setupLabelOf } from './transcript.ts';

const made = (names: readonly string[], beacon: string | null) => ({
  contributions: names.map((name) => ({ name, hash: '00' })),
  beacon,
});

describe('R50: the label of a key names the weakest step of its set-up', () => {
  const together = made(['anna', 'ben', 'beacon'], '5e');

  test('several parties and a beacon are worth what their powers of tau are worth', () => {
    expect(setupLabelOf(together, { setup: 'ceremony' })).toBe('ceremony');
    expect(setupLabelOf(together, { setup: 'single-party-development' })).toBe(
      'ceremony-on-development-powers-of-tau',
    );
  });

  test.each([
    ['one party', made(['anna'], null)],
    ['one party and a beacon', made(['anna', 'beacon'], '5e')],
    ['one party under one name twice', made(['anna', 'anna', 'beacon'], '5e')],
    ['several parties, the last of whom could choose', made(['anna', 'ben', 'carl'], null)],
  ])('%s: a single party, whatever the powers of tau', (_, key) => {
    for (const setup of ['ceremony', 'single-party-development'] as const)
      expect(setupLabelOf(key, { setup })).toBe('single-party-development');
  });
});
