import { babyjubjub } from '@noble/curves/misc.js';
import { type FieldError, reject } from '../errors.ts';
import { isFieldElement } from './field.ts';

/** An issuer's public key: a point of BabyJubJub, coordinates as decimal text. */
export interface IssuerKey {
  readonly x: string;
  readonly y: string;
}

const DECIMAL = /^(0|[1-9]\d{0,77})$/;

const isCoordinate = (text: string): boolean => DECIMAL.test(text) && isFieldElement(BigInt(text));

/**
 * Refuses a key under which anybody could sign: coordinates below r, on the curve, in the subgroup of prime order and
 * not its neutral element. The circuit leaves this to whoever chooses the issuer.
 */
export const checkIssuer = (key: IssuerKey) => {
  const errors: FieldError[] = [];
  for (const name of ['x', 'y'] as const) {
    if (!isCoordinate(key[name])) {
      errors.push({ field: `issuer.${name}`, rule: 'a decimal number below the order of the field' });
    }
  }
  if (errors.length === 0 && !isSubgroupPoint(key)) {
    errors.push({ field: 'issuer', rule: 'a point of the prime-order subgroup of BabyJubJub' });
  }
  return errors.length > 0 ? reject('INVALID_REQUEST', 'the issuer key is not usable', errors) : null;
};

const isSubgroupPoint = ({ x, y }: IssuerKey): boolean => {
  try {
    const point = babyjubjub.Point.fromAffine({ x: BigInt(x), y: BigInt(y) });
    point.assertValidity();
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
};
