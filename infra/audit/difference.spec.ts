import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/json.ts';
import { firstDifference } from './difference.ts';

describe('firstDifference', () => {
  it('is null exactly for equal JSON', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(firstDifference(a, a)).toBeNull();
        expect(firstDifference(a, b) === null).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });

  it.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, 'a.1.b: live 2, replayed 3'],
    [{ a: 1 }, {}, 'a: live 1, replayed nothing'],
    [{}, { z: null }, 'z: live nothing, replayed null'],
    ['open', 'closed', 'state: live "open", replayed "closed"'],
    [[], {}, 'state: live [], replayed {}'],
    [null, {}, 'state: live null, replayed {}'],
  ])('names the place: %j and %j', (live, replayed, difference) => {
    expect(firstDifference(live, replayed)).toBe(difference);
  });
});
