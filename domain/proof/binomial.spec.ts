import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { upperTail } from './binomial.ts';

/** P(X ≥ k) in exact rational arithmetic, for rate = bad / of. */
const reference = (n: number, k: number, bad: bigint, of: bigint): number => {
  let sum = 0n;
  let choose = 1n;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += choose * bad ** BigInt(i) * (of - bad) ** BigInt(n - i);
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  return Number((sum * 10n ** 18n) / of ** BigInt(n)) / 1e18;
};

describe('the upper tail of a binomial', () => {
  test('is that of exact arithmetic', () => {
    const cases = fc.record({ n: fc.integer({ min: 1, max: 120 }), bad: fc.integer({ min: 1, max: 99 }) });
    fc.assert(
      fc.property(cases, fc.nat(), ({ n, bad }, any) => {
        const k = any % (n + 2);
        expect(upperTail(n, k, bad / 100)).toBeCloseTo(reference(n, k, BigInt(bad), 100n), 12);
      }),
    );
  });

  test('falls with k from 1 to 0, however large n', () => {
    const [n, rate] = [518_400, 0.05];
    const tails = [0, 1, 20_000, 25_000, 25_920, 26_000, 30_000, n, n + 1].map((k) => upperTail(n, k, rate));
    expect(tails.every((tail, index) => index === 0 || tail <= (tails[index - 1] ?? 0))).toBe(true);
    expect([tails[0], tails[2], tails.at(-1)]).toEqual([1, 1, 0]);
    expect(tails[4]).toBeGreaterThan(0.49);
    expect(tails[4]).toBeLessThan(0.51);
  });
});
