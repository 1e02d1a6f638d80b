/**
 * P(X ≥ k) for X binomial in `n` trials of probability `rate`, 0 < rate < 1. Exact up to rounding, for any n: terms are
 * taken relative to that of k, so nothing underflows, and by + − × ÷ alone, so every engine finds the same number.
 * O(n) at worst.
 */
export const upperTail = (n: number, k: number, rate: number): number => {
  if (k <= 0) return 1;
  if (k > n) return 0;
  const odds = rate / (1 - rate);
  let above = 1;
  for (let i = k, term = 1; i < n && term > above * Number.EPSILON * 2 ** -10; i++) {
    term *= ((n - i) / (i + 1)) * odds;
    above += term;
    // Beyond every number: k is far below what the rate explains.
    if (above === Number.POSITIVE_INFINITY) return 1;
  }
  let below = 0;
  for (let i = k, term = 1; i > 0 && term > below * Number.EPSILON * 2 ** -10; i--) {
    term *= i / (n - i + 1) / odds;
    below += term;
    // Beyond every number: k is far above what the rate explains.
    if (below === Number.POSITIVE_INFINITY) return 0;
  }
  return above / (above + below);
};
