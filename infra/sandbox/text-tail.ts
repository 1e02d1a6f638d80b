import { shownTail } from '../../domain/text.ts';

/** Keeps the end of a byte stream that is text, fit to be signed, stored and shown. */
export const textTail = (characters: number) => {
  // No UTF-8 character that counts as one UTF-16 unit takes more than three bytes.
  const limit = characters * 3;
  let kept: Buffer = Buffer.alloc(0);
  return {
    write: (bytes: Uint8Array): void => {
      kept = Buffer.concat([kept, bytes]).subarray(-limit);
    },
    text: (): string => shownTail(new TextDecoder().decode(kept), characters),
  };
};
