import { expect, test } from 'vitest';
import { passing, release } from './release.ts';

test('a piece with memory of its own is gone, one that shares it is left alone', () => {
  const own = new Uint8Array([1, 2, 3]);
  const whole = new Uint8Array([1, 2, 3]);
  const part = whole.subarray(1);
  release(own, part);
  expect(own).toHaveLength(0);
  expect(part).toEqual(new Uint8Array([2, 3]));
});

test('a piece that passes is there until the next is asked for', async () => {
  const pieces = [new Uint8Array([1]), new Uint8Array([2, 3])];
  async function* all() {
    yield* pieces;
  }
  const seen: number[][] = [];
  for await (const piece of passing(all())) seen.push([...piece]);
  expect(seen).toEqual([[1], [2, 3]]);
  expect(pieces.map(({ length }) => length)).toEqual([0, 0]);
});
