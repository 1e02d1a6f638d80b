/** Crockford base 32, the alphabet of a ULID. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * 26 characters of ULID shape taken from the first 17 bytes of a hash: an id that derives from its cause, so a retry
 * meets the same id. `bytes` must hold at least 17.
 */
export const ulidFrom = (bytes: Uint8Array): string => {
  if (bytes.length < 17) throw new RangeError('an id needs at least 17 bytes');
  let value = 0n;
  for (let index = 0; index < 17; index++) value = (value << 8n) | BigInt(bytes[index] as number);
  let text = '';
  for (let index = 0; index < 26; index++) {
    text = ALPHABET[Number(value & 31n)] + text;
    value >>= 5n;
  }
  // A ULID starts with 0-7: its value fits 128 bits.
  return ALPHABET[ALPHABET.indexOf(text[0] as string) & 7] + text.slice(1);
};

/** The part of `<prefix>-<ulid>` after the prefix. */
export const suffixOf = (id: string): string => id.slice(id.indexOf('-') + 1);
