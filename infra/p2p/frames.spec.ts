import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/json.ts';
import {
  ARTIFACT_FRAME_BYTES,
  CONTROL_FRAME_BYTES,
  createFrameDecoder,
  encodeFrame,
  FrameError,
} from './frames.ts';

const within = (maxBytes: number) => (bytes: number) => bytes <= maxBytes;

/** Cuts `bytes` at the given fractions. */
const cut = (bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] => {
  const at = [
    0,
    ...fractions.map((each) => Math.floor(each * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
};

const anyMessage = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

describe('frames', () => {
  it('returns every message in order, wherever the bytes are cut', () => {
    const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 6 }), fractions, (messages, where) => {
        const wire = Buffer.concat(messages.map((each) => encodeFrame(each, CONTROL_FRAME_BYTES).subarray()));
        const decoder = createFrameDecoder(within(CONTROL_FRAME_BYTES));
        const received = cut(wire, where).flatMap((chunk) => decoder.push(chunk));
        expect(received).toEqual(messages);
      }),
    );
  });

  it('reads a frame that arrives one byte at a time', () => {
    const wire = encodeFrame({ text: 'ä'.repeat(200) }, CONTROL_FRAME_BYTES).subarray();
    const decoder = createFrameDecoder(within(CONTROL_FRAME_BYTES));
    const received = [...wire].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
    expect(received).toEqual([{ text: 'ä'.repeat(200) }]);
  });

  it('carries canonical JSON', () => {
    const wire = encodeFrame({ b: 1, a: [true, null] }, 100).subarray();
    expect(Buffer.from(wire.subarray(1)).toString()).toBe(canonicalJson({ a: [true, null], b: 1 }));
  });

  it('refuses a length above the maximum before its body is there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 2000 }), (size, maximum) => {
        const text = 'x'.repeat(size);
        const bytes = size + 2;
        const decoder = createFrameDecoder(within(maximum));
        const onlyTheLength = encodeFrame(text, CONTROL_FRAME_BYTES).subarray(0, bytes > 127 ? 2 : 1);
        if (bytes > maximum) {
          expect(() => decoder.push(onlyTheLength)).toThrow(FrameError);
          expect(() => encodeFrame(text, maximum)).toThrow(FrameError);
        } else {
          expect(decoder.push(encodeFrame(text, maximum))).toEqual([text]);
        }
      }),
    );
  });

  it('never does anything but decode or throw a FrameError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoder = createFrameDecoder(within(1000));
        try {
          decoder.push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  it.each([
    ['an endless length', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80)],
    ['a length that is not in its shortest form', Uint8Array.of(0x82, 0x00)],
    ['text that is not UTF-8', Uint8Array.of(3, 0x22, 0xff, 0x22)],
    ['text that is not JSON', Uint8Array.of(2, 0x7b, 0x7b)],
    ['an empty frame', Uint8Array.of(0)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => createFrameDecoder(() => true).push(bytes)).toThrow(FrameError);
  });

  it('has room for the largest artefact', () => {
    const base64 = Math.ceil((64 * 1024 * 1024 * 4) / 3);
    const around = canonicalJson({
      type: 'store-output',
      sha256: 'f'.repeat(64),
      enclaveId: `enclave-${'Z'.repeat(26)}`,
      bytes: '',
    });
    expect(base64 + around.length).toBeLessThanOrEqual(ARTIFACT_FRAME_BYTES);
  });
});
