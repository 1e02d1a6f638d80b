import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generator } from '../auction/market.fixture.ts';
import { drawNeighbours } from './draw.ts';
import { graphFigures, type Links } from './graph.ts';

const names = (n: number) => Array.from({ length: n }, (_, index) => String(index));
const links = (n: number, neighboursOf: (index: number) => readonly number[]): Links[] =>
  names(n).map((nodeId, index) => ({ nodeId, neighbours: neighboursOf(index).map(String) }));
const figures = (n: number, neighboursOf: (index: number) => readonly number[]) =>
  graphFigures(links(n, neighboursOf), names(n));

describe('graph figures', () => {
  it('are those of graphs whose figures are known', () => {
    const complete = figures(9, (index) =>
      names(9)
        .map(Number)
        .filter((other) => other !== index),
    );
    expect(complete).toMatchObject({ nodes: 9, averageDegree: 8, diameter: 1, kCore: 8 });
    // λ₂ of the complete graph is −1 ÷ (n − 1).
    expect(complete.spectralGap).toBeCloseTo(1 + 1 / 8, 5);
    const cycle = figures(12, (index) => [(index + 1) % 12]);
    expect(cycle).toMatchObject({ averageDegree: 2, diameter: 6, kCore: 2 });
    expect(cycle.spectralGap).toBeCloseTo(1 - Math.cos((2 * Math.PI) / 12), 5);
    const path = figures(5, (index) => (index < 4 ? [index + 1] : []));
    expect(path).toMatchObject({ averageDegree: 1.6, diameter: 4, kCore: 1 });
    const star = figures(6, (index) => (index === 0 ? [] : [0]));
    expect(star).toMatchObject({ diameter: 2, kCore: 1 });
    expect(star.spectralGap).toBeCloseTo(1, 5);
    // A clique of four with a tail: the tail is in no core but the first.
    const tailed = figures(6, (index) => [[1, 2, 3], [2, 3], [3], [4], [5], []][index] as number[]);
    expect(tailed).toMatchObject({ kCore: 3, diameter: 3 });
  });

  it('tell a mesh in parts by no diameter and no gap', () => {
    const halves = figures(10, (index) => [(index + 1) % 5 === 0 ? index - 4 : index + 1]);
    expect(halves.diameter).toBeNull();
    expect(halves.spectralGap).toBeCloseTo(0, 5);
    expect(
      graphFigures(
        links(4, (index) => [(index + 1) % 4]),
        [...names(4), 'alone'],
      ),
    ).toMatchObject({
      nodes: 5,
      diameter: null,
      spectralGap: 0,
    });
    expect(graphFigures([], [])).toMatchObject({ nodes: 0, averageDegree: 0, kCore: 0 });
    expect(graphFigures([], ['one'])).toMatchObject({ nodes: 1, diameter: 0 });
  });

  it('draws of the topology make a mesh with spectral gap ≥ 0.2 and k-core ≥ 3', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 300 }), fc.nat(), (n, seed) => {
        const random = generator(seed);
        const output = () => Uint8Array.from({ length: 64 }, () => Math.floor(random() * 256));
        const mesh = figures(n, (index) => drawNeighbours(output(), n, index));
        expect(mesh.diameter).not.toBeNull();
        expect(mesh.spectralGap).toBeGreaterThan(0.2);
        expect(mesh.kCore).toBeGreaterThanOrEqual(3);
        expect(mesh.averageDegree).toBeGreaterThanOrEqual(8);
      }),
      { numRuns: 25 },
    );
  });

  it('stay affordable: ten thousand nodes, with a lower bound of the diameter', () => {
    const random = generator(1);
    const n = 10_000;
    const mesh = figures(n, (index) =>
      drawNeighbours(
        Uint8Array.from({ length: 64 }, () => Math.floor(random() * 256)),
        n,
        index,
      ),
    );
    expect(mesh).toMatchObject({ nodes: n, diameterIsExact: false });
    expect(mesh.diameter).toBeGreaterThanOrEqual(4);
  });
});
