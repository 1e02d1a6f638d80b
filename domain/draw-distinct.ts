import { shake256 } from '@noble/hashes/sha3.js';

const WORDS = 2n ** 64n;

/** Uniform integers below a bound, from SHAKE256 over a seed: no bias, for what would be biased is drawn again. */
const uniformStream = (seed: Uint8Array): ((bound: number) => number) => {
  const stream = shake256.create().update(seed);
  return (bound) => {
    const limit = WORDS - (WORDS % BigInt(bound));
    for (;;) {
      const word = stream.xof(8);
      const value = new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0);
      if (value < limit) return Number(value % BigInt(bound));
    }
  };
};

/**
 * `count` distinct integers below `bound`, uniform without replacement, in the order drawn; anybody with the seed draws
 * the same. A partial Fisher-Yates shuffle over a sparse map: O(count) whatever the bound, which is at least `count`.
 */
export const drawDistinct = (seed: Uint8Array, bound: number, count: number): number[] => {
  const below = uniformStream(seed);
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, place) => {
    const chosen = place + below(bound - place);
    const value = moved.get(chosen) ?? chosen;
    moved.set(chosen, moved.get(place) ?? place);
    return value;
  });
};
