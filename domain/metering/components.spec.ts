import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { components } from './components.ts';

/** What each node leads to, by trying: the definition, slowly. */
const reachable = (edges: readonly (readonly number[])[], from: number): Set<number> => {
  const seen = new Set<number>();
  const visit = (node: number): void => {
    for (const to of edges[node] ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      visit(to);
    }
  };
  visit(from);
  return seen;
};

const graph = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 4 }), { minLength: size, maxLength: size }),
  );

describe('components', () => {
  it('puts two nodes together exactly if each leads to the other, after all that they lead to', () => {
    fc.assert(
      fc.property(graph, (edges) => {
        const found = components(edges);
        expect(found.flat().sort((a, b) => a - b)).toEqual(edges.map((_, node) => node));
        const placeOf = new Map(found.flatMap((each, place) => each.map((node) => [node, place] as const)));
        for (const [a] of edges.entries())
          for (const b of reachable(edges, a)) {
            const mutual = reachable(edges, b).has(a);
            expect(placeOf.get(a) === placeOf.get(b)).toBe(mutual || a === b);
            expect(placeOf.get(b)).toBeLessThanOrEqual(placeOf.get(a) ?? -1);
          }
      }),
    );
  });

  it('follows a chain of a million nodes', () => {
    const length = 1_000_000;
    const edges = Array.from({ length }, (_, node) => (node + 1 < length ? [node + 1] : []));
    expect(components(edges).length).toBe(length);
  });
});
