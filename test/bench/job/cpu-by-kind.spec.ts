import { expect, test } from 'vitest';
import { minus, per, totalOf } from './cpu-by-kind.ts';

test('what a stack uses with nothing to do is taken off, kind by kind', () => {
  const busy = minus({ worker: 5, node: 3, enclave: 2 }, { worker: 1, node: 3 });
  const idle = { worker: 0.1, node: 0.2 };
  const cpu = per(minus(busy, idle, 10), 2);
  expect(cpu).toEqual({ worker: 1.5, node: -1, enclave: 1 });
  expect(totalOf(cpu)).toBe(1.5);
  expect(per({ anvil: 0.0001 }, 2)).toEqual({});
});
