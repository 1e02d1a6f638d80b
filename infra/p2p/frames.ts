import { Uint8ArrayList } from 'uint8arraylist';
import { canonicalJson } from '../../domain/json.ts';
import { MAX_ARTIFACT_BYTES } from '../../domain/ports/artifacts.ts';

/** Largest frame of ordinary messages. A proof with its certificates takes about 10 KiB. */
export const CONTROL_FRAME_BYTES = 256 * 1024;
/** Largest frame at all: one artefact in base64url and the message around it. */
export const ARTIFACT_FRAME_BYTES = Math.ceil(MAX_ARTIFACT_BYTES / 3) * 4 + 4096;

/** Enough for 2^35 - 1; a longer prefix is an attack, not a length. */
const MAX_PREFIX_BYTES = 5;

/** The peer broke the framing; the stream is of no further use. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

const prefixOf = (length: number): Uint8Array => {
  const bytes: number[] = [];
  let rest = length;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
};

/**
 * One frame: the byte length as an unsigned varint (7 bits a byte, low group first), then canonical JSON in UTF-8.
 * @throws FrameError when the message is longer than `maxBytes`.
 */
export const encodeFrame = (message: unknown, maxBytes: number): Uint8ArrayList => {
  const body = new TextEncoder().encode(canonicalJson(message));
  if (body.byteLength > maxBytes)
    throw new FrameError(`a frame of ${body.byteLength} bytes exceeds ${maxBytes}`);
  return new Uint8ArrayList(prefixOf(body.byteLength), body);
};

const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    throw new FrameError('a frame is not JSON in UTF-8', { cause: error });
  }
};

/** Length and size of the varint at the start of `buffer`, or null while it is incomplete. */
const readPrefix = (buffer: Uint8ArrayList): { length: number; size: number } | null => {
  let length = 0;
  for (let index = 0; index < MAX_PREFIX_BYTES && index < buffer.byteLength; index++) {
    const byte = buffer.get(index);
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (byte === 0 && index > 0) throw new FrameError('a frame length is not in its shortest form');
      return { length, size: index + 1 };
    }
  }
  if (buffer.byteLength >= MAX_PREFIX_BYTES) throw new FrameError('a frame length is too long');
  return null;
};

export interface FrameDecoder {
  /** Adds received bytes and returns the messages they complete. @throws FrameError; the decoder is then spent. */
  push(chunk: Uint8Array | Uint8ArrayList): unknown[];
  /** Whether a part of a message waits for the rest. */
  isPartial(): boolean;
}

/**
 * Decodes frames from chunks cut anywhere. `admit` sees each length before its body is buffered and refuses by
 * returning false: memory is bounded by what it admits.
 */
export const createFrameDecoder = (admit: (bytes: number) => boolean): FrameDecoder => {
  const buffer = new Uint8ArrayList();
  let expected: number | null = null;
  return {
    push(chunk) {
      buffer.append(chunk);
      const messages: unknown[] = [];
      for (;;) {
        if (expected === null) {
          const prefix = readPrefix(buffer);
          if (!prefix) return messages;
          if (!admit(prefix.length))
            throw new FrameError(`a frame of ${prefix.length} bytes is not admitted`);
          buffer.consume(prefix.size);
          expected = prefix.length;
        }
        if (buffer.byteLength < expected) return messages;
        const body = buffer.subarray(0, expected);
        buffer.consume(expected);
        expected = null;
        messages.push(parse(body));
      }
    },
    isPartial: () => expected !== null || buffer.byteLength > 0,
  };
};
