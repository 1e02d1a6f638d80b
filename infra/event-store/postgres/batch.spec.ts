import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppendRequest } from '../request.ts';
import { isBehind, type Pending, takeBatch } from './batch.ts';

const pending = (
  parts: readonly [stream: string, expected: number, size: number][],
  over: Partial<Pending> = {},
): Pending => ({
  request: {
    parts: parts.map(([stream, expected, size]) => ({
      stream,
      expected: BigInt(expected),
      types: Array(size).fill('t'),
      envelopes: Array(size).fill('{}'),
      commands: [],
    })),
    origin: { workflowId: null, runId: null },
    size: parts.reduce((sum, [, , size]) => sum + size, 0),
    length: 2,
  } satisfies AppendRequest,
  deadline: 0,
  alone: false,
  resolve: () => undefined,
  reject: () => undefined,
  ...over,
});

test('appends to one stream share a batch only as a chain', () => {
  const first = pending([['ledger-main', -1, 2]]);
  const rival = pending([['ledger-main', -1, 1]]);
  const next = pending([
    ['ledger-main', 1, 1],
    ['job-1', 4, 1],
  ]);
  const other = pending([['job-2', 0, 1]]);
  const { batch, rest } = takeBatch([first, rival, next, other]);
  expect(batch.members).toEqual([first, next, other]);
  expect(rest).toEqual([rival]);
  expect(Object.fromEntries(batch.tails)).toEqual({ 'ledger-main': 2n, 'job-1': 5n, 'job-2': 1n });
  expect(isBehind(batch.tails, rival.request)).toBe(true);
  expect(isBehind(batch.tails, pending([['ledger-main', 2, 1]]).request)).toBe(false);
});

test('a batch ends at 256 appends or a megabyte, and a larger append goes by itself', () => {
  const many = Array.from({ length: 300 }, (_, at) => pending([[`s-${at}`, -1, 1]]));
  expect(takeBatch(many).batch.members).toHaveLength(256);
  expect(takeBatch(many).rest).toHaveLength(44);
  const heavy = (at: number, length: number) => {
    const one = pending([[`s-${at}`, -1, 1]]);
    return { ...one, request: { ...one.request, length } };
  };
  expect(takeBatch([heavy(0, 600_000), heavy(1, 600_000)]).batch.members).toHaveLength(1);
  expect(takeBatch([heavy(0, 3_000_000), heavy(1, 1)]).batch.members).toHaveLength(1);
});

test('a request that is to be tried alone is', () => {
  const alone = pending([['s-1', -1, 1]], { alone: true });
  const other = pending([['s-2', -1, 1]]);
  expect(takeBatch([alone, other])).toMatchObject({ batch: { members: [alone] }, rest: [other] });
  expect(takeBatch([other, alone])).toMatchObject({ batch: { members: [other] }, rest: [alone] });
});

test('nothing is lost or reordered, and every batch makes progress', () => {
  const request = fc.record({
    stream: fc.constantFrom('a', 'b', 'c'),
    expected: fc.integer({ min: -1, max: 3 }),
    size: fc.integer({ min: 1, max: 3 }),
    alone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 30 }), (requests) => {
      const queue = requests.map(({ stream, expected, size, alone }) =>
        pending([[stream, expected, size]], { alone }),
      );
      const { batch, rest } = takeBatch(queue);
      expect(batch.members.length).toBeGreaterThan(0);
      expect([...batch.members, ...rest].sort((a, b) => queue.indexOf(a) - queue.indexOf(b))).toEqual(queue);
      for (const part of [batch.members, rest]) {
        const order = part.map((one) => queue.indexOf(one));
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
      for (const stream of ['a', 'b', 'c']) {
        const own = batch.members.filter((one) => one.request.parts[0]?.stream === stream);
        for (const [at, one] of own.entries()) {
          const before = own[at - 1]?.request;
          if (before)
            expect(one.request.parts[0]?.expected).toBe(
              (before.parts[0]?.expected ?? 0n) + BigInt(before.size),
            );
        }
      }
    }),
  );
});
