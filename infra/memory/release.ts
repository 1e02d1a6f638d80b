/**
 * Gives the memory of `pieces` back at once; they are empty from then on. Left to the collector it would stay for as long as
 * V8 sees no need, and whoever sends bytes without end would fill it.
 */
export const release = (...pieces: readonly Uint8Array[]): void => {
  // Sockets read each piece into memory of its own; what shares its memory with others is left alone.
  for (const { buffer, byteLength } of pieces)
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};

/** The same pieces, each of them gone once the next is asked for. */
export async function* passing(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    yield piece;
    release(piece);
  }
}
