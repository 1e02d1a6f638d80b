import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createOutgoing } from './outgoing.ts';

const socket = () => {
  const made = { bufferedAmount: 0, ended: false, terminate: () => void (made.ended = true) };
  return made;
};

it('cuts off whoever is furthest behind, and nobody else', () => {
  const outgoing = createOutgoing(100);
  const [far, near, quick] = [socket(), socket(), socket()];
  far.bufferedAmount = 60;
  near.bufferedAmount = 40;
  for (const each of [far, near, quick]) outgoing.note(each);
  expect([far.ended, near.ended]).toEqual([false, false]);
  quick.bufferedAmount = 1;
  outgoing.note(quick);
  expect([far.ended, near.ended, quick.ended]).toEqual([true, false, false]);
  expect(outgoing.bytes()).toBe(41);
  outgoing.forget(near);
  outgoing.forget(near);
  expect(outgoing.bytes()).toBe(1);
});

it('whatever waits for whom: never more than there may be', () => {
  const step = fc.record({ of: fc.nat(4), bytes: fc.nat(80) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const outgoing = createOutgoing(100);
      const sockets = Array.from({ length: 5 }, socket);
      for (const { of, bytes } of steps) {
        const one = sockets[of];
        if (!one || one.ended) continue;
        one.bufferedAmount = bytes;
        outgoing.note(one);
        const living = sockets.filter(({ ended }) => !ended);
        expect(outgoing.bytes()).toBe(living.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0));
        expect(outgoing.bytes()).toBeLessThanOrEqual(100);
      }
    }),
  );
});
