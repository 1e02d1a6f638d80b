import { hash, timingSafeEqual } from 'node:crypto';
import type { Payload, SerializationContext } from '@temporalio/common';
import { hmacSha256 } from './hmac.ts';

/** Member of a payload's metadata that holds the seal, as `<key id>.<HMAC in base64url>`. */
export const SEAL = 'aivillage-seal';

const DOMAIN = 'aivillage payload seal v1';
const KEY_BYTES = 32;

/** Temporal appends the time to the id of every workflow that a schedule starts. */
const SCHEDULED_AT = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Encoding of a payload that is plain JSON. */
const JSON_ENCODING = 'json/plain';
const JSON_ENCODING_BYTES = Buffer.from(JSON_ENCODING);

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** The content of a payload; protobuf has an empty list for none. */
const dataOf = ({ data }: Payload): Uint8Array => (data && data.length > 0 ? data : NOTHING);
const NOTHING = new Uint8Array();

/** Whether the only thing said of a payload, beside its seal, is that it is plain JSON: nearly all are. */
const isPlainJson = (metadata: Payload['metadata']): boolean => {
  let encoding: Uint8Array | undefined;
  for (const name in metadata) {
    if (name === 'encoding') encoding = metadata[name];
    else if (name !== SEAL) return false;
  }
  return (
    encoding?.length === JSON_ENCODING_BYTES.length &&
    JSON_ENCODING_BYTES.every((byte, at) => byte === encoding[at])
  );
};

const contentOf = (payload: Payload): string => {
  const { length } = dataOf(payload);
  if (isPlainJson(payload.metadata)) return `[${length},["encoding","${JSON_ENCODING}"]]`;
  return JSON.stringify([
    length,
    ...Object.entries(payload.metadata ?? {})
      .filter(([name]) => name !== SEAL)
      .map(([name, value]) => [name, latin1(value)])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  ]);
};

/**
 * Whose a list of payloads is, and what it says: everything but the seal itself. A line of JSON holds all but the data,
 * whose lengths it tells, so that no two lists are the same bytes.
 */
const messageOf = (payloads: readonly Payload[], context: SerializationContext): (string | Uint8Array)[] => {
  const place =
    context.type === 'workflow'
      ? [context.workflowId.replace(SCHEDULED_AT, '')]
      : [context.workflowId ?? null, context.activityId ?? null, context.isLocal];
  const head = JSON.stringify([DOMAIN, context.type, context.namespace, place]).slice(0, -1);
  return [`${head},[${payloads.map(contentOf).join(',')}]]`, ...payloads.map(dataOf)];
};

interface SealKey {
  readonly id: string;
  readonly mac: ReturnType<typeof hmacSha256>;
}

const sealKey = (key: Uint8Array): SealKey => {
  if (key.length !== KEY_BYTES) throw new RangeError('a command key has 32 bytes');
  return {
    id: hash('sha256', Buffer.concat([Buffer.from(DOMAIN), key])).slice(0, 8),
    mac: hmacSha256(key),
  };
};

export interface PayloadSeal {
  /** The list under a seal: it holds for all its members together, in their order, and where `context` says. */
  seal(payloads: readonly Payload[], context: SerializationContext): Payload[];
  isSealed(payloads: readonly Payload[], context: SerializationContext): boolean;
}

/**
 * HMAC-SHA-256 over lists of payloads: what one call says, for one workflow or activity. What is said stays readable.
 * @param keys of 32 bytes, newest first: the first seals, all verify. A key may go when no workflow that is still running
 *   has a payload under it.
 */
export const createPayloadSeal = (keys: readonly Uint8Array[]): PayloadSeal => {
  const ring = keys.map(sealKey);
  const [current] = ring;
  if (!current) throw new RangeError('payloads cannot be sealed without a key');

  return {
    seal: (payloads, context) => {
      const [first, ...others] = payloads;
      if (!first) return [];
      const mac = current.mac(messageOf(payloads, context)).toString('base64url');
      const metadata = { ...first.metadata, [SEAL]: Buffer.from(`${current.id}.${mac}`) };
      return [{ ...first, metadata }, ...others];
    },
    isSealed: (payloads, context) => {
      const seal = payloads[0]?.metadata?.[SEAL];
      if (!seal) return false;
      const [id, mac = ''] = Buffer.from(seal).toString('latin1').split('.');
      const key = ring.find((each) => each.id === id);
      if (!key) return false;
      const given = Buffer.from(mac, 'base64url');
      const expected = key.mac(messageOf(payloads, context));
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
};
