import { bn254 } from '@noble/curves/bn254.js';
import { MalformedError } from '../der.ts';

const DECIMAL = /^(0|[1-9]\d{0,77})$/;

/**
 * A number as snarkjs writes it: decimal text without sign or leading zero, below `bound`. There is no reduction: a
 * value must not have two names. @throws MalformedError
 */
const numberBelow = (bound: bigint, value: unknown): bigint => {
  if (typeof value !== 'string' || !DECIMAL.test(value)) throw new MalformedError('not a decimal number');
  const number = BigInt(value);
  if (number >= bound) throw new MalformedError('not below the order of its field');
  return number;
};

/** An element of the scalar field: 0 <= s < r. @throws MalformedError */
export const scalar = (value: unknown): bigint => numberBelow(bn254.fields.Fr.ORDER, value);

/** A coordinate: 0 <= c < q. @throws MalformedError */
const coordinate = (value: unknown): bigint => numberBelow(bn254.fields.Fp.ORDER, value);

/** A list of at most `limit`, or of exactly `length`, values. @throws MalformedError */
export const list = (
  value: unknown,
  { length, limit = length ?? 0 }: { length?: number; limit?: number },
) => {
  if (!Array.isArray(value) || value.length > limit || (length !== undefined && value.length !== length)) {
    throw new MalformedError('not a list of the right length');
  }
  return value as readonly unknown[];
};

const isOne = (value: unknown): boolean => value === '1';

type G1 = InstanceType<typeof bn254.G1.Point>;
type G2 = InstanceType<typeof bn254.G2.Point>;

export type { G1, G2 };

/** [x, y, "1"] on the curve, not infinity. G1 has prime order, so it is its own subgroup. @throws MalformedError */
export const g1 = (value: unknown): G1 => {
  const [x, y, z] = list(value, { length: 3 });
  if (!isOne(z)) throw new MalformedError('not an affine point');
  const point = bn254.G1.Point.fromAffine({ x: coordinate(x), y: coordinate(y) });
  return valid(point);
};

/** [[x.c0, x.c1], [y.c0, y.c1], ["1", "0"]] on the twist and in its subgroup of order r. @throws MalformedError */
export const g2 = (value: unknown): G2 => {
  const [x, y, z] = list(value, { length: 3 }).map((pair) => list(pair, { length: 2 }));
  if (!isOne(z?.[0]) || z?.[1] !== '0') throw new MalformedError('not an affine point');
  const element = (pair: readonly unknown[] | undefined) => ({
    c0: coordinate(pair?.[0]),
    c1: coordinate(pair?.[1]),
  });
  return valid(bn254.G2.Point.fromAffine({ x: element(x), y: element(y) }));
};

const valid = <P extends { assertValidity(): void; is0(): boolean }>(point: P): P => {
  if (point.is0()) throw new MalformedError('the point at infinity');
  try {
    point.assertValidity();
  } catch {
    throw new MalformedError('not a point of the group');
  }
  return point;
};
