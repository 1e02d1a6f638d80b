/** Keeps the end of a byte stream that is text. */
export const textTail = (characters: number) => {
  // No UTF-8 character that counts as one UTF-16 unit takes more than three bytes.
  const limit = characters * 3;
  let kept: Buffer = Buffer.alloc(0);
  return {
    write: (bytes: Uint8Array): void => {
      kept = Buffer.concat([kept, bytes]).subarray(-limit);
    },
    text: (): string => new TextDecoder().decode(kept).slice(-characters).toWellFormed(),
  };
};
