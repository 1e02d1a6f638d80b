import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, type Frame, frameReader } from './frames.ts';

const bytes = (pieces: readonly Uint8Array[]) => pieces.map((piece) => [...piece]);

test('frames come out as they went in, however they are cut', () => {
  const frame = fc.record({
    message: fc.dictionary(
      fc.string(),
      fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
    ),
    pieces: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (frames, step) => {
      const sent = Buffer.concat(frames.map(({ message, pieces }) => encodeFrame(message, pieces)));
      const read = frameReader(1_000_000);
      const seen: Frame[] = [];
      for (let at = 0; at < sent.length; at += step) seen.push(...read(sent.subarray(at, at + step)));
      expect(seen.map(({ message, pieces }) => ({ message, pieces: bytes(pieces) }))).toEqual(
        frames.map(({ message, pieces }) => ({
          message: JSON.parse(JSON.stringify(message)),
          pieces: bytes(pieces),
        })),
      );
    }),
  );
});

test.each([
  ['one of more bytes than are wanted', encodeFrame({}, [new Uint8Array(100)])],
  ['one that says it is empty', new Uint8Array(8)],
  ['one that is no JSON', Uint8Array.from([0, 0, 0, 2, 0, 0, 0, 0, 0x7b, 0x7b])],
  ['one without sizes', Uint8Array.from([0, 0, 0, 2, 0, 0, 0, 0, 0x7b, 0x7d])],
])('refuses %s', (_, frame) => {
  expect(() => frameReader(100)(frame)).toThrow();
});
