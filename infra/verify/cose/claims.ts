import { MalformedError } from '../der.ts';
import { type Cbor, type CborMap, decodeCbor } from './cbor.ts';

/** Typed reading of a token's claims. Every accessor throws MalformedError when the claim is not as said. */
export interface Claims {
  has(label: number): boolean;
  /** A byte string of one of these lengths. */
  bytes(label: number, ...sizes: readonly number[]): Uint8Array;
  text(label: number): string;
  whole(label: number): number;
  /** A list of at least one map. */
  maps(label: number): Claims[];
  list(label: number): readonly Cbor[];
}

const fail = (label: number): never => {
  throw new MalformedError(`claim ${label} is missing or malformed`);
};

const claimsIn = (map: CborMap): Claims => ({
  has: (label) => map.has(label),
  bytes: (label, ...sizes) => {
    const value = map.get(label);
    if (!ArrayBuffer.isView(value)) return fail(label);
    return sizes.includes(value.length) ? value : fail(label);
  },
  text: (label) => {
    const value = map.get(label);
    return typeof value === 'string' ? value : fail(label);
  },
  whole: (label) => {
    const value = map.get(label);
    return typeof value === 'number' && value >= 0 ? value : fail(label);
  },
  maps: (label) => {
    const value = map.get(label);
    if (!Array.isArray(value) || value.length === 0) return fail(label);
    return value.map((each: Cbor) => (each instanceof Map ? claimsIn(each) : fail(label)));
  },
  list: (label) => {
    const value = map.get(label);
    return Array.isArray(value) ? value : fail(label);
  },
});

/** Claims of a token's payload. @throws MalformedError when it is no map. */
export const claimsOf = (payload: Uint8Array): Claims => {
  const value = decodeCbor(payload);
  if (!(value instanceof Map)) throw new MalformedError('the claims are no map');
  return claimsIn(value);
};
