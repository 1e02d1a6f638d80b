import { expect, test } from 'vitest';
import { newUlid } from './new-id.ts';

test('an id is a ULID of now, and another one each time', () => {
  const ids = Array.from({ length: 1000 }, newUlid);
  for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  expect(new Set(ids.map((id) => id.slice(10))).size).toBe(1000);
  // Each of the 32 characters comes up: the random half is drawn from the whole alphabet.
  expect(new Set(ids.flatMap((id) => id.slice(10).split(''))).size).toBe(32);
});
