/** Lanczos' series for ln Γ with g = 7 and nine terms; good to about 14 digits for x > 0. */
const LANCZOS_G = 7;
const LANCZOS = [
  676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1, -176.615_029_162_140_6,
  12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];
const LANCZOS_FIRST = 0.999_999_999_999_809_9;

const logGamma = (x: number): number => {
  const base = x + LANCZOS_G + 0.5;
  const series = LANCZOS.reduce((sum, term, index) => sum + term / (x + index + 1), LANCZOS_FIRST);
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(base) - base + Math.log(series / x);
};

const TINY = 1e-300;
const PRECISION = 1e-14;
/** It takes about √max(α, β) terms to converge. */
const MOST_TERMS = 10_000;

/** The continued fraction of DLMF 8.17.22 by the modified method of Lentz. */
const fraction = (alpha: number, beta: number, x: number): number => {
  const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((alpha + beta) * x) / (alpha + 1));
  let value = d;
  const take = (term: number): number => {
    d = 1 / away(1 + term * d);
    c = away(1 + term / c);
    value *= c * d;
    return Math.abs(c * d - 1);
  };
  for (let m = 1; m <= MOST_TERMS; m++) {
    const at = alpha + 2 * m;
    take((m * (beta - m) * x) / ((at - 1) * at));
    if (take((-(alpha + m) * (alpha + beta + m) * x) / (at * (at + 1))) < PRECISION) break;
  }
  return value;
};

/** The regularized incomplete beta function: how likely a draw from Beta(α, β), both > 0, is at most `x`. */
export const betaShare = (x: number, alpha: number, beta: number): number => {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(
    logGamma(alpha + beta) - logGamma(alpha) - logGamma(beta) + alpha * Math.log(x) + beta * Math.log1p(-x),
  );
  // The fraction converges fast below the mean; above it the complement does.
  return x < (alpha + 1) / (alpha + beta + 2)
    ? (front * fraction(alpha, beta, x)) / alpha
    : 1 - (front * fraction(beta, alpha, 1 - x)) / beta;
};
