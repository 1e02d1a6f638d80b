import { describe, expect, it } from 'vitest';
import { processName, rosterOf, type SeenProcess } from './roster.ts';

const seen = (...processes: [string, number][]): SeenProcess[] =>
  processes.map(([instance, behindMs]) => ({ instance, behindMs }));

describe('roster', () => {
  it.each([
    ['all there', seen(['0', 0], ['1', 900]), 2, { have: 2, expected: 2, missing: [] }],
    ['one silent', seen(['0', 0], ['1', 5_001]), 2, { have: 1, expected: 2, missing: ['worker-1'] }],
    ['one never came', seen(['1', 0]), 2, { have: 1, expected: 2, missing: ['worker'] }],
    ['none ever came', [], 2, { have: 0, expected: 2, missing: ['worker', 'worker-1'] }],
    ['one too many', seen(['0', 0], ['1', 0], ['2', 0]), 2, { have: 3, expected: 2, missing: [] }],
    ['fewer wanted than there were', seen(['0', 0], ['5', 9_000]), 1, { have: 1, expected: 1, missing: [] }],
  ])('by number: %s', (_, processes, announced, roster) => {
    expect(rosterOf('worker', processes, announced)).toEqual(roster);
  });

  it.each([
    ['all there', seen(['a', 0], ['b', 10]), null, { have: 2, expected: 2, missing: [] }],
    ['one died', seen(['a', 0], ['b', 9_000]), null, { have: 1, expected: 2, missing: ['api-b'] }],
    ['replaced by another host', seen(['a', 0], ['b', 9_000], ['c', 5]), 2, { have: 2, missing: [] }],
    [
      'the latest to die is named first',
      seen(['a', 0], ['b', 90_000], ['c', 9_000]),
      2,
      { have: 1, missing: ['api-c'] },
    ],
    ['more wanted than known', seen(['a', 0]), 3, { have: 1, expected: 3, missing: [] }],
  ])('by host: %s', (_, processes, announced, roster) => {
    expect(rosterOf('api', processes, announced)).toMatchObject(roster);
  });

  it('one of each kind is expected where nobody has said anything', () => {
    expect(rosterOf('projector', [], null)).toEqual({ have: 0, expected: 1, missing: ['projector'] });
  });

  it('the first of a kind has its name', () => {
    expect([processName('api', '0'), processName('api', '2'), processName('worker', 'host-7')]).toEqual([
      'api',
      'api-2',
      'worker-host-7',
    ]);
  });
});
