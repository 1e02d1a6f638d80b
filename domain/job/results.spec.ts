import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareResults, type ResultClaim } from './results.ts';

const claim = (index: number, output: string, change: Partial<ResultClaim> = {}): ResultClaim => ({
  providerId: `provider-${index}`,
  proofId: `proof-${9 - index}`,
  outcome: 'exited',
  exitCode: 0,
  outputHash: output,
  ...change,
});

const claims = (outputs: string): ResultClaim[] =>
  Array.from(outputs).map((output, index) => claim(index, output));

/** `aab`: three members, two of which answered a. */
const compared = (outputs: string, winners: number) => {
  const result = compareResults(claims(outputs), winners);
  return result.kind === 'accepted'
    ? {
        accepted: result.accepted[0]?.outputHash,
        deviants: result.deviants.map(({ outputHash }) => outputHash),
      }
    : result.kind;
};

describe('settled 19', () => {
  test.each([
    ['one winner: its proof counts', 'a', 1, { accepted: 'a', deviants: [] }],
    ['two agree', 'aa', 2, { accepted: 'a', deviants: [] }],
    ['two differ: one more decides', 'ab', 2, 'one-more'],
    ['the third decides, and the other deviates', 'aba', 2, { accepted: 'a', deviants: ['b'] }],
    ['three that all differ', 'abc', 2, 'disagreement'],
    ['one left of two: the tier promises one', 'a', 2, { accepted: 'a', deviants: [] }],
    ['three: a strict majority', 'aab', 3, { accepted: 'a', deviants: ['b'] }],
    ['three: no majority', 'abc', 3, 'disagreement'],
    ['two left of three agree', 'aa', 3, { accepted: 'a', deviants: [] }],
    ['two left of three differ: nobody is a deviant', 'ab', 3, 'disagreement'],
    ['one left of three', 'a', 3, 'too-few'],
    ['five: three against two', 'ababa', 5, { accepted: 'a', deviants: ['b', 'b'] }],
    ['five: two, two and one', 'aabbc', 5, 'disagreement'],
    ['five bought, three left, two agree: no majority of five', 'aab', 5, 'disagreement'],
    ['two left of five', 'aa', 5, 'too-few'],
    ['no result at all', '', 1, 'too-few'],
  ] as const)('%s (%s of %d)', (_, outputs, winners, expected) => {
    expect(compared(outputs, winners)).toEqual(expected);
  });

  test('too few: what is there and what is needed', () => {
    expect(compareResults(claims('a'), 5)).toEqual({ kind: 'too-few', have: 1, need: 3 });
  });

  test('the accepted proof with the lowest id comes first', () => {
    const result = compareResults(claims('aaa'), 3);
    expect(result.kind === 'accepted' && result.accepted.map(({ proofId }) => proofId)).toEqual([
      'proof-7',
      'proof-8',
      'proof-9',
    ]);
  });
});

describe('settled 44', () => {
  const metered = (index: number, output: string, change: Partial<ResultClaim> = {}): ResultClaim =>
    claim(index, output, { trap: null, fuelUsed: 1000, ...change });
  const trapped = { outcome: 'trapped', exitCode: null, trap: 'unreachable' } as const;
  const deviants = (results: readonly ResultClaim[]): readonly string[] => {
    const result = compareResults(results, 3);
    if (result.kind !== 'accepted') throw new Error(result.kind);
    return result.deviants.map(({ providerId }) => providerId);
  };

  test('that one trapped where two exited, or the other way round, is no fraud, and does not count', () => {
    const one = [metered(0, 'a'), metered(1, 'a'), metered(2, 'b', trapped)];
    expect(compareResults(one, 3)).toMatchObject({ kind: 'accepted', accepted: [{}, {}], deviants: [] });
    expect(deviants([metered(0, 'b', trapped), metered(1, 'b', trapped), metered(2, 'a')])).toEqual([]);
  });

  test('another output of a run that ended alike is fraud, whatever the end', () => {
    expect(deviants([metered(0, 'a'), metered(1, 'a'), metered(2, 'b')])).toEqual(['provider-2']);
    const ends = (index: number, output: string) => metered(index, output, trapped);
    expect(deviants([ends(0, 'a'), ends(1, 'a'), ends(2, 'b')])).toEqual(['provider-2']);
    const stopped = { outcome: 'fuel_limit', exitCode: null } as const;
    const stops = (index: number, output: string) => metered(index, output, stopped);
    expect(deviants([stops(0, 'a'), stops(1, 'a'), stops(2, 'b')])).toEqual(['provider-2']);
  });

  test('fuel and kind of trap are part of the result, and no evidence by themselves', () => {
    const more = [metered(0, 'a'), metered(1, 'a', { fuelUsed: 2000 }), metered(2, 'a')];
    expect(compareResults(more, 3)).toMatchObject({
      accepted: [{ fuelUsed: 1000 }, { fuelUsed: 1000 }],
      deviants: [],
    });
    expect(compareResults(more.slice(0, 2), 2)).toEqual({ kind: 'one-more' });
    const other = metered(2, 'a', { ...trapped, trap: 'divide_by_zero' });
    expect(deviants([metered(0, 'a', trapped), metered(1, 'a', trapped), other])).toEqual([]);
  });
});

describe('settled 40: a metered run out of time is nobody’s fault, and no vote', () => {
  const late = { outcome: 'time_limit', exitCode: null, trap: null } as const;
  /** `a` and `b` are outputs, `-` is late; then who is accepted. */
  const told = (letters: string, winners: number): string => {
    const results = Array.from(letters).map((letter, index) =>
      claim(index, letter, letter === '-' ? late : { trap: null, fuelUsed: 1000 }),
    );
    const result = compareResults(results, winners);
    if (result.kind !== 'accepted') return result.kind;
    expect(result.deviants.every(({ outcome }) => outcome !== 'time_limit')).toBe(true);
    return result.accepted.map(({ outputHash }) => outputHash).join('');
  };

  test.each([
    ['the only one', '-', 1, '-'],
    ['the only one left of two', '-', 2, '-'],
    ['both of two', '--', 2, '--'],
    ['one of two: the other’s result counts, for that tier promises one', '-a', 2, 'a'],
    ['one of three that ran of two', '-ab', 2, 'one-more'],
    ['one of three: the other two are a majority', '-aa', 3, 'aa'],
    ['one of three, and the others differ', '-ab', 3, 'disagreement'],
    ['two of three: the module is too slow', '--a', 3, '--'],
    ['one of two left of three', '-a', 3, 'too-few'],
    ['two of five, and three agree', '--aaa', 5, 'aaa'],
    ['two of five, and three do not agree', '--aab', 5, 'disagreement'],
    ['three of five', '---ab', 5, '---'],
  ] as const)('%s (%s of %d)', (_, letters, winners, expected) => {
    expect(told(letters, winners)).toBe(expected);
  });

  test('who is late never makes a deviant of another, nor keeps one from being told', () => {
    expect(told('-aab', 3)).toBe('disagreement');
    const ended = Array.from('aaab').map((output, index) =>
      claim(index + 1, output, { trap: null, fuelUsed: 1000 }),
    );
    expect(compareResults([claim(0, '-', late), ...ended], 5)).toMatchObject({
      kind: 'accepted',
      deviants: [{ outputHash: 'b' }],
    });
  });
});

describe('settled 20, for runs from before metering', () => {
  test('the exit code is part of the result', () => {
    const results = [claim(0, 'a'), claim(1, 'a', { exitCode: 3 }), claim(2, 'a', { exitCode: 3 })];
    const result = compareResults(results, 3);
    expect(result).toMatchObject({ kind: 'accepted', deviants: [{ providerId: 'provider-0' }] });
  });

  test.each(['time_limit', 'memory_limit'] as const)('%s: outputs cut off anywhere agree', (outcome) => {
    const results = claims('abc').map((result) => ({ ...result, outcome, exitCode: null }));
    expect(compareResults(results, 3)).toMatchObject({ kind: 'accepted', deviants: [] });
  });

  test('a slow node among fast ones, or a fast one among slow, is no fraud', () => {
    const slow = { outcome: 'time_limit', exitCode: null } as const;
    expect(compareResults([claim(0, 'a'), claim(1, 'a'), claim(2, 'b', slow)], 3)).toMatchObject({
      kind: 'accepted',
      deviants: [],
    });
    expect(compareResults([claim(0, 'a', slow), claim(1, 'b', slow), claim(2, 'a')], 3)).toMatchObject({
      kind: 'accepted',
      deviants: [],
    });
  });
});

test('a deviant always faces a strict majority of the members bought, in any order of the results', () => {
  const outputs = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(outputs, fc.constantFrom(1, 2, 3, 5), (list, winners) => {
      const results = claims(list.join(''));
      const result = compareResults(results, winners);
      if (result.kind === 'accepted' && result.deviants.length > 0) {
        expect(result.accepted.length).toBeGreaterThan(results.length / 2);
        if (winners > 2) expect(result.accepted.length).toBeGreaterThan(winners / 2);
      }
      const reversed = compareResults(results.toReversed(), winners);
      expect(reversed.kind).toBe(result.kind);
      if (reversed.kind === 'accepted' && result.kind === 'accepted')
        expect(reversed.accepted).toEqual(result.accepted);
    }),
  );
});
