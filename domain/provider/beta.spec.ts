import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { betaShare } from './beta.ts';

/** P(at least `k` of `n` throws succeed), by its definition. */
const atLeast = (k: number, n: number, p: number): number => {
  // Near one, powers of 1 − p keep fewer digits.
  if (p > 0.5) return 1 - atLeast(n - k + 1, n, 1 - p);
  let [term, sum] = [(1 - p) ** n, 0];
  for (let hits = 0; hits <= n; hits++) {
    if (hits >= k) sum += term;
    term *= ((n - hits) / (hits + 1)) * (p / (1 - p));
  }
  return sum;
};

const inside = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const shape = fc.double({ min: 0.1, max: 150, noNaN: true });

describe('the regularized incomplete beta function', () => {
  test('for whole parameters is the tail of a binomial (DLMF 8.17.5)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 0, max: 60 }), inside, (k, more, x) => {
        const n = k + more;
        expect(betaShare(x, k, n - k + 1)).toBeCloseTo(atLeast(k, n, x), 9);
      }),
    );
  });

  test('has its closed forms: x^α, 1 − (1 − x)^β and the arcsine law', () => {
    fc.assert(
      fc.property(inside, shape, (x, parameter) => {
        expect(betaShare(x, parameter, 1)).toBeCloseTo(x ** parameter, 12);
        expect(betaShare(x, 1, parameter)).toBeCloseTo(1 - (1 - x) ** parameter, 12);
        expect(betaShare(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 12);
      }),
    );
  });

  test('is symmetric, grows in x, and ends at 0 and 1', () => {
    fc.assert(
      fc.property(inside, inside, shape, shape, (x, y, alpha, beta) => {
        expect(betaShare(x, alpha, beta)).toBeCloseTo(1 - betaShare(1 - x, beta, alpha), 10);
        const [low, high] = [Math.min(x, y), Math.max(x, y)];
        expect(betaShare(low, alpha, beta)).toBeLessThanOrEqual(betaShare(high, alpha, beta) + 1e-12);
        expect([betaShare(0, alpha, beta), betaShare(1, alpha, beta)]).toEqual([0, 1]);
      }),
    );
  });
});
