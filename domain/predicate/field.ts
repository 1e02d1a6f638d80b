import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Order r of the scalar field of BN254: what a signal of a circuit is counted in. */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** Bytes of a hash that always stay below `FIELD_ORDER`: 248 bits. */
const FIELD_BYTES = 31;

/** The purposes a text is hashed for; the tag keeps them apart. */
export type FieldTag = 'text' | 'schema' | 'scope' | 'context';

const NUL = Uint8Array.of(0);

/**
 * A text as a field element: the first 248 bits of SHA-256("aivillage-zk-" ‖ tag ‖ 0x00 ‖ UTF-8). It keeps equality
 * and nothing else: order between such values means nothing.
 */
export const fieldOf = (tag: FieldTag, text: string): bigint => {
  const digest = sha256(concatBytes(utf8ToBytes(`aivillage-zk-${tag}`), NUL, utf8ToBytes(text)));
  return digest.subarray(0, FIELD_BYTES).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
};

/** Whether `value` is a canonical field element: reduction would give one value several names. */
export const isFieldElement = (value: bigint): boolean => value >= 0n && value < FIELD_ORDER;
