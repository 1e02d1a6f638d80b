import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidateSet } from './candidate.ts';
import { alphaOf, drawNeighbours, type EpochCommitment, NEIGHBOUR_COUNT } from './draw.ts';
import { bystander } from './topology.fixture.ts';

/** A stand-in for the VRF output of an epoch: as unpredictable, and cheap enough for ten thousand of them. */
const output = (epoch: number, salt = ''): Uint8Array => sha512(utf8ToBytes(`${salt}/${epoch}`));

/** Σ (observed − expected)² / expected. */
const chiSquare = (observed: readonly number[], expected: number): number =>
  observed.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);

/** Upper bound of χ² with `df` degrees of freedom, exceeded once in about 3 million (5 standard deviations of z). */
const chiSquareLimit = (df: number): number => df * (1 - 2 / (9 * df) + 5 * Math.sqrt(2 / (9 * df))) ** 3;

describe('the draw', () => {
  it('R95: gives exactly min(8, n − 1) distinct neighbours and never the node itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 40 })),
        fc.nat(),
        fc.nat(),
        (n, nth, epoch) => {
          const self = nth % n;
          const drawn = drawNeighbours(output(epoch), n, self);
          expect(drawn.length).toBe(Math.min(NEIGHBOUR_COUNT, n - 1));
          expect(new Set(drawn).size).toBe(drawn.length);
          expect(drawn.every((index) => index >= 0 && index < n && index !== self)).toBe(true);
          expect(drawNeighbours(output(epoch), n, self)).toEqual(drawn);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('R95: is complete where the naive windows of the original lose neighbours (n = 9, 16, 50)', () => {
    for (const n of [9, 10, 16, 50]) {
      for (let epoch = 0; epoch < 500; epoch++) {
        expect(new Set(drawNeighbours(output(epoch), n, 3)).size).toBe(Math.min(NEIGHBOUR_COUNT, n - 1));
      }
    }
  });

  it.each([10, 23, 100])('R95: is uniform over 10,000 epochs among %i nodes, in every place', (n) => {
    const EPOCHS = 10_000;
    const self = 4;
    const total = new Array<number>(n).fill(0);
    const byPlace = Array.from({ length: NEIGHBOUR_COUNT }, () => new Array<number>(n).fill(0));
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      drawNeighbours(output(epoch, 'uniform'), n, self).forEach((index, place) => {
        total[index] = (total[index] as number) + 1;
        const counts = byPlace[place] as number[];
        counts[index] = (counts[index] as number) + 1;
      });
    }
    const others = (counts: readonly number[]) => counts.filter((_, index) => index !== self);
    for (const counts of byPlace) {
      expect(chiSquare(others(counts), EPOCHS / (n - 1))).toBeLessThan(chiSquareLimit(n - 2));
    }
    // Without replacement the counts vary less: each epoch contributes a share (n − 1 − 8) / (n − 2) of the variance.
    const shrink = (n - 1 - NEIGHBOUR_COUNT) / (n - 2);
    const statistic = chiSquare(others(total), (EPOCHS * NEIGHBOUR_COUNT) / (n - 1)) / shrink;
    expect(statistic).toBeLessThan(chiSquareLimit(n - 2));
    expect(total[self]).toBe(0);
  });

  it('R95: draws each pair of neighbours equally often', () => {
    const n = 12;
    const pairs = new Map<string, number>();
    for (let epoch = 0; epoch < 10_000; epoch++) {
      const [first, second] = drawNeighbours(output(epoch, 'pairs'), n, 0);
      pairs.set(`${first},${second}`, (pairs.get(`${first},${second}`) ?? 0) + 1);
    }
    expect(pairs.size).toBe((n - 1) * (n - 2));
    expect(chiSquare([...pairs.values()], 10_000 / pairs.size)).toBeLessThan(chiSquareLimit(pairs.size - 1));
  });

  it('costs the same among a hundred and among a quadrillion', () => {
    expect(drawNeighbours(output(1), 2 ** 50, 5).length).toBe(NEIGHBOUR_COUNT);
  });
});

const commitment: EpochCommitment = {
  network: 'test',
  epoch: 7,
  beacon: new Uint8Array(32).fill(1),
  candidateRoot: new Uint8Array(32).fill(2),
  candidateCount: 9,
};

describe('the VRF input', () => {
  it('R94: names purpose, network, epoch, beacon, candidates and their number, each in a place of its own', () => {
    expect(bytesToHex(alphaOf(commitment))).toBe(
      [
        bytesToHex(utf8ToBytes('fog-nbr-v1')),
        '0004',
        bytesToHex(utf8ToBytes('test')),
        '0000000000000007',
        '01'.repeat(32),
        '02'.repeat(32),
        '0000000000000009',
      ].join(''),
    );
  });

  it('R94: is another one when any part is another, and takes no part of another length', () => {
    const others: Partial<EpochCommitment>[] = [
      { network: 'test2' },
      { epoch: 8 },
      { beacon: new Uint8Array(32) },
      { candidateRoot: new Uint8Array(32) },
      { candidateCount: 10 },
    ];
    const inputs = [commitment, ...others.map((other) => ({ ...commitment, ...other }))];
    expect(new Set(inputs.map((input) => bytesToHex(alphaOf(input)))).size).toBe(inputs.length);
    expect(() => alphaOf({ ...commitment, beacon: new Uint8Array(31) })).toThrow(RangeError);
    expect(() => alphaOf({ ...commitment, epoch: -1 })).toThrow(RangeError);
    expect(() => alphaOf({ ...commitment, network: 'x'.repeat(70_000) })).toThrow(RangeError);
  });
});

describe('the candidate set', () => {
  it('R96: has one root whatever the order and the repetitions of its members', () => {
    const members = Array.from({ length: 40 }, (_, index) => bystander(index));
    const root = bytesToHex(candidateSet(members).tree.root);
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: 40 }), fc.subarray(members), (order, again) => {
        expect(bytesToHex(candidateSet([...order, ...again]).tree.root)).toBe(root);
      }),
    );
  });

  it('R96: has another root when any attribute of a member is another', () => {
    const members = [0, 1, 2].map(bystander);
    const [first, ...rest] = members as [(typeof members)[number], ...typeof members];
    const changed = [
      { nodeId: 'provider-x' },
      { vrfKey: new Uint8Array(32) },
      { weight: 1000 },
      { addressPrefix: '10.99' },
      { operator: 'subject-x' },
      // The border between two texts is committed to as well.
      { addressPrefix: `${first.addressPrefix}s`, operator: first.operator.slice(1) },
    ].map((change) => candidateSet([{ ...first, ...change }, ...rest]));
    const roots = [candidateSet(members), ...changed].map(({ tree }) => bytesToHex(tree.root));
    expect(new Set(roots).size).toBe(roots.length);
  });

  it('finds its members, and has none twice', () => {
    const set = candidateSet([3, 1, 2, 1].map(bystander));
    expect(set.candidates.map(({ nodeId }) => set.indexOf(nodeId))).toEqual([0, 1, 2]);
    expect(set.indexOf('provider-000004')).toBe(-1);
    expect(set.indexOf('')).toBe(-1);
    expect(() => candidateSet([bystander(1), { ...bystander(1), weight: 999 }])).toThrow(RangeError);
    expect(candidateSet([]).tree.size).toBe(0);
  });
});
