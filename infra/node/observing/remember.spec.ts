import { expect, it } from 'vitest';
import { remember } from './remember.ts';

it('forgets what was set longest ago, and a thing set again is new', () => {
  const memory = remember<number>(2);
  memory.set('a', 1);
  memory.set('b', 2);
  memory.set('a', 3);
  memory.set('c', 4);
  expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([3, undefined, 4]);
});
