/** A message over a pipe: what is said as JSON, and bytes as they are. */
export interface Frame {
  readonly message: unknown;
  readonly pieces: readonly Uint8Array[];
}

/** Lengths of the JSON and of all pieces behind it, 32 bits each, high byte first. */
const PREFIX_BYTES = 8;

export const encodeFrame = (message: object, pieces: readonly Uint8Array[] = []): Uint8Array => {
  const sizes = pieces.map(({ length }) => length);
  const text = Buffer.from(JSON.stringify({ message, sizes }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(text.length);
  prefix.writeUInt32BE(
    sizes.reduce((sum, size) => sum + size, 0),
    4,
  );
  return Buffer.concat([prefix, text, ...pieces]);
};

const decode = (text: Uint8Array, body: Uint8Array): Frame => {
  const { message, sizes } = JSON.parse(new TextDecoder().decode(text)) as {
    message: unknown;
    sizes: readonly number[];
  };
  let at = 0;
  const pieces = sizes.map((size) => {
    at += size;
    return body.subarray(at - size, at);
  });
  return { message, pieces };
};

/**
 * Reads frames from chunks cut anywhere, and answers with those that a chunk completes. Memory for one is taken once its
 * length is known.
 * @throws Error for a frame of more than `most` bytes, and for what is none; the reader is then spent
 */
export const frameReader = (most: number): ((chunk: Uint8Array) => readonly Frame[]) => {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  let target: Uint8Array = prefix;
  let filled = 0;
  /** Begins with what comes next. */
  const next = (into: Uint8Array): void => {
    target = into;
    filled = 0;
  };
  return (chunk) => {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + target.length - filled);
      target.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < target.length) break;
      const textLength = prefix.readUInt32BE(0);
      if (target !== prefix) {
        frames.push(decode(target.subarray(0, textLength), target.subarray(textLength)));
        next(prefix);
        continue;
      }
      const length = textLength + prefix.readUInt32BE(4);
      if (length === 0 || length > most) throw new Error(`a frame of ${length} bytes`);
      next(new Uint8Array(length));
    }
    return frames;
  };
};
