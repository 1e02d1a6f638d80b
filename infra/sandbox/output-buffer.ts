/** Collects at most `limit` bytes. */
export const outputBuffer = (limit: number) => {
  const pieces: Uint8Array[] = [];
  let size = 0;
  return {
    /** Copies `bytes` in; false, and unchanged, when they do not fit. */
    write: (bytes: Uint8Array): boolean => {
      if (size + bytes.length > limit) return false;
      if (bytes.length > 0) pieces.push(new Uint8Array(bytes));
      size += bytes.length;
      return true;
    },
    bytes: (): Uint8Array => {
      const all = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      return all;
    },
  };
};
