import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodeSigStructure } from '../../../infra/verify/cose/cbor.ts';

/** A small CBOR writer and token maker; whatever a verifier reads can be given a single fault. */

export type Value =
  | number
  | string
  | Uint8Array
  | boolean
  | null
  | readonly Value[]
  | ReadonlyMap<number, Value>
  | Tagged;
export interface Tagged {
  readonly tag: number;
  readonly value: Value;
}

const head = (major: number, argument: number): Buffer => {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 0x100) return Buffer.from([(major << 5) | 24, argument]);
  const wide = argument >= 0x10000;
  const bytes = Buffer.alloc(wide ? 5 : 3);
  bytes[0] = (major << 5) | (wide ? 26 : 25);
  if (wide) bytes.writeUInt32BE(argument, 1);
  else bytes.writeUInt16BE(argument, 1);
  return bytes;
};

export const encode = (value: Value): Buffer => {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4]);
  if (value === null) return Buffer.from([0xf6]);
  if (ArrayBuffer.isView(value)) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)]);
  if (value instanceof Map)
    return Buffer.concat([
      head(5, value.size),
      ...[...(value as ReadonlyMap<number, Value>)].flatMap(([key, each]) => [encode(key), encode(each)]),
    ]);
  const tagged = value as Tagged;
  return Buffer.concat([head(6, tagged.tag), encode(tagged.value)]);
};

const ALGORITHMS = {
  'P-256': { label: -7, hash: 'sha256' },
  'P-384': { label: -35, hash: 'sha384' },
} as const;

export const keyPair = (namedCurve: keyof typeof ALGORITHMS = 'P-256') => {
  const pair = generateKeyPairSync('ec', { namedCurve });
  const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { curve: namedCurve, privateKey: pair.privateKey, spki, point };
};

export interface Signer {
  readonly curve: keyof typeof ALGORITHMS;
  readonly privateKey: KeyObject;
}

export const sign1 = (claims: Value, { curve, privateKey }: Signer, tag = 18): Buffer => {
  const { label, hash } = ALGORITHMS[curve];
  const protectedHeader = encode(new Map([[1, label]]));
  const payload = encode(claims);
  const structure = encodeSigStructure(['Signature1', protectedHeader, new Uint8Array(0), payload]);
  const signature = sign(hash, structure, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return encode({ tag, value: [protectedHeader, new Map(), payload, signature] });
};

export const psaClaims = (
  nonce: Uint8Array,
  change: readonly (readonly [number, Value])[] = [],
): Map<number, Value> =>
  new Map<number, Value>([
    [265, 'tag:psacertified.org,2023:psa#tfm'],
    [10, nonce],
    [256, Buffer.concat([Buffer.of(1), Buffer.alloc(32, 2)])],
    [2394, 1],
    [2395, 0x3000],
    [2396, Buffer.alloc(32, 3)],
    [
      2399,
      [
        new Map<number, Value>([
          [2, Buffer.alloc(32, 0xaa)],
          [5, Buffer.alloc(32, 0xbb)],
        ]),
      ],
    ],
    ...change,
  ]);

export interface CcaFaults {
  readonly platform?: readonly (readonly [number, Value])[];
  readonly realm?: readonly (readonly [number, Value])[];
  readonly realmSigner?: Signer;
}

export const ccaToken = (signer: Signer, challenge: Uint8Array, faults: CcaFaults = {}): Uint8Array => {
  const realmKey = keyPair('P-384');
  const platform = new Map<number, Value>([
    [265, 'http://arm.com/CCA-SSD/1.0.0'],
    [10, createHash('sha256').update(realmKey.point).digest()],
    [2396, Buffer.alloc(32, 3)],
    [256, Buffer.concat([Buffer.of(1), Buffer.alloc(32, 2)])],
    [2395, 0x3003],
    ...(faults.platform ?? []),
  ]);
  const realm = new Map<number, Value>([
    [10, challenge],
    [44240, 'sha-256'],
    [44237, realmKey.point],
    [44238, Buffer.alloc(32, 0xcc)],
    [44239, [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3), Buffer.alloc(32, 4)]],
    ...(faults.realm ?? []),
  ]);
  return encode({
    tag: 399,
    value: new Map<number, Value>([
      [44234, sign1(platform, signer)],
      [44241, sign1(realm, faults.realmSigner ?? realmKey)],
    ]),
  });
};
