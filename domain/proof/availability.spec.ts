import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeAvailability, roundOutcome } from './availability.ts';
import type { Receipt } from './availability-record.ts';
import { challengedChunks, chunkCount, chunkLength, chunkTree } from './chunks.ts';

const TERMS = { quorum: 2, deadlineSeconds: 2, minimumShare: 0.75 };
const receipt = (answeredAfter: number | 'silent' | 'unobserved'): Receipt => ({
  observer: 'aa',
  outcome: typeof answeredAfter === 'number' ? 'answered' : answeredAfter,
  askedAt: answeredAfter === 'unobserved' ? null : '2026-01-01T00:00:00.000Z',
  answeredAt: typeof answeredAfter === 'number' ? `2026-01-01T00:00:0${answeredAfter}.000Z` : null,
  signature: '',
});
const round = (...seen: (number | 'silent' | 'unobserved')[]) => ({ receipts: seen.map(receipt) });
const passed = round(1, 1, 1);
const failed = round('silent', 'silent', 'silent');
const unobserved = round('unobserved', 'unobserved', 'unobserved');

describe('a round', () => {
  test.each([
    ['passed', round(1, 2, 'silent')],
    ['failed', round(1, 'silent', 'silent')],
    ['failed', round(1, 3, 3)],
    ['unobserved', round(1, 'silent', 'unobserved')],
    ['unobserved', round(1, 'unobserved', 'unobserved')],
  ] as const)('is %s by the word of a quorum', (outcome, seen) => {
    expect(roundOutcome(TERMS, seen)).toBe(outcome);
  });
});

describe('a window of rounds', () => {
  test.each([
    ['available', [passed, passed, passed, failed]],
    ['available', [passed, passed, passed, unobserved]],
    ['unavailable', [passed, passed, failed, failed]],
    ['not-yet-provable', [passed, passed, failed, unobserved]],
  ] as const)('is %s', (verdict, rounds) => {
    expect(judgeAvailability(TERMS, rounds).verdict).toBe(verdict);
  });

  test('keeps a verdict whatever the unobserved rounds turn out to be', () => {
    const known = fc.array(fc.constantFrom(passed, failed, unobserved), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(known, fc.constantFrom(passed, failed), (rounds, instead) => {
        const { verdict } = judgeAvailability(TERMS, rounds);
        const told = rounds.map((each) => (each === unobserved ? instead : each));
        const later = judgeAvailability(TERMS, told).verdict;
        expect(later).not.toBe('not-yet-provable');
        if (verdict !== 'not-yet-provable') expect(later).toBe(verdict);
      }),
    );
  });
});

describe('R47: a challenge', () => {
  const challenge = (round: number, root = '11') => ({ terms: 'aa', round, beacon: { size: '9', root } });

  test('asks for distinct chunks that exist, others in each round and for each beacon', () => {
    const cuts = fc.record({
      size: fc.integer({ min: 1, max: 100_000 }),
      chunkBytes: fc.integer({ min: 1, max: 4096 }),
      chunksPerRound: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(cuts, fc.nat(100), (cut, number) => {
        const chunks = challengedChunks(cut, challenge(number));
        const count = chunkCount(cut);
        expect(chunks).toHaveLength(Math.min(cut.chunksPerRound, count));
        expect(new Set(chunks).size).toBe(chunks.length);
        expect(chunks.every((index) => index >= 0 && index < count && chunkLength(cut, index) > 0)).toBe(
          true,
        );
      }),
    );
    const large = { size: 1_000_000, chunkBytes: 64, chunksPerRound: 8 };
    const draws = [challenge(0), challenge(1), challenge(0, '12')].map((one) => challengedChunks(large, one));
    expect(new Set(draws.map(String)).size).toBe(3);
  });

  test('finds every chunk as often as any other', () => {
    const cut = { size: 100, chunkBytes: 10, chunksPerRound: 2 };
    const counts = Array.from({ length: 10 }, () => 0);
    for (let number = 0; number < 5000; number++)
      for (const index of challengedChunks(cut, challenge(number))) counts[index] = (counts[index] ?? 0) + 1;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99.9 % of χ² with 9 degrees of freedom.
    expect(chiSquared).toBeLessThan(27.9);
  });

  test('cuts an artefact into full chunks and a last one', () => {
    const cut = { size: 130, chunkBytes: 64 };
    expect([0, 1, 2].map((index) => chunkLength(cut, index))).toEqual([64, 64, 2]);
    expect(chunkTree(new Uint8Array(130), 64).size).toBe(chunkCount(cut));
  });
});
