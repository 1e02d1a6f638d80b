import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { littleEndian, ORDER, Point } from './curve.ts';
import { ecvrfProve, ecvrfTranscript, vrfKey } from './prove.ts';
import { RFC_9381 } from './rfc9381.fixture.ts';
import { challenge, type EcvrfSuite, encodeToCurve } from './suite.ts';
import { type EcvrfInput, ecvrfVerify } from './verify.ts';

const hex = bytesToHex;
const bytes = hexToBytes;
const SUITES: readonly EcvrfSuite[] = ['edwards25519-tai', 'edwards25519-ell2'];

const flipped = (input: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(input);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
};

const inputOf = ({ suite, pk, alpha, pi }: (typeof RFC_9381)[number]): EcvrfInput => ({
  suite,
  publicKey: bytes(pk),
  alpha: bytes(alpha),
  proof: bytes(pi),
});

describe.each(RFC_9381)('RFC 9381 example $example, $suite', (vector) => {
  const input = inputOf(vector);

  it('R98: comes out byte for byte: key, point, nonce, U, V, proof, output', () => {
    const key = vrfKey(bytes(vector.sk));
    const { h, nonce, u, v, proof, output } = ecvrfTranscript(vector.suite, key, input.alpha);
    expect({
      pk: hex(key.publicKey),
      h: hex(h),
      k: hex(nonce),
      u: hex(u),
      v: hex(v),
      pi: hex(proof),
      beta: hex(output),
    }).toEqual({
      pk: vector.pk,
      h: vector.h,
      k: vector.k,
      u: vector.u,
      v: vector.v,
      pi: vector.pi,
      beta: vector.beta,
    });
  });

  it('R98: verifies to its output', () => {
    expect(hex(ecvrfVerify(input) ?? bytes(''))).toBe(vector.beta);
  });

  it('R98: is refused after a flip at any offset of Gamma, c and s', () => {
    for (let at = 0; at < input.proof.length; at++) {
      expect(ecvrfVerify({ ...input, proof: flipped(input.proof, 8 * at + (at % 8)) })).toBeNull();
    }
  });

  it('R98: is refused when it is shorter or longer by any length', () => {
    for (let length = 0; length < input.proof.length; length++) {
      expect(ecvrfVerify({ ...input, proof: input.proof.subarray(0, length) })).toBeNull();
    }
    expect(ecvrfVerify({ ...input, proof: concatBytes(input.proof, Uint8Array.of(0)) })).toBeNull();
  });

  it('R98: is no proof of another input, under another key or of the sibling suite', () => {
    expect(ecvrfVerify({ ...input, alpha: concatBytes(input.alpha, Uint8Array.of(0)) })).toBeNull();
    for (const other of RFC_9381.filter(({ pk }) => pk !== vector.pk)) {
      expect(ecvrfVerify({ ...input, publicKey: bytes(other.pk) })).toBeNull();
    }
    const sibling = SUITES.find((suite) => suite !== vector.suite) as EcvrfSuite;
    expect(ecvrfVerify({ ...input, suite: sibling })).toBeNull();
  });

  it('R98: is refused with s + q, the same scalar in another form', () => {
    const s = littleEndian(input.proof.subarray(48)) + ORDER;
    const encoded = Uint8Array.from({ length: 32 }, (_, index) => Number((s >> BigInt(8 * index)) & 255n));
    expect(ecvrfVerify({ ...input, proof: concatBytes(input.proof.subarray(0, 48), encoded) })).toBeNull();
  });
});

/** y = p + 1, which reads as y = 1 where encodings are not held to be canonical. */
const NON_CANONICAL = bytes('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

/** A proof that holds for a key of small order without any secret: Gamma = 0 and a challenge that is 0 mod 8. */
const forgedProof = (suite: EcvrfSuite, publicKey: Uint8Array, alpha: Uint8Array): Uint8Array => {
  const h = encodeToCurve(suite, publicKey, alpha) as Point;
  const gamma = Point.ZERO.toBytes();
  for (let k = 1n; ; k++) {
    const [u, v] = [Point.BASE.multiplyUnsafe(k), h.multiplyUnsafe(k)];
    const c = challenge(suite, [publicKey, h.toBytes(), gamma, u.toBytes(), v.toBytes()]);
    if (littleEndian(c) % 8n === 0n) return concatBytes(gamma, c, Point.Fn.toBytes(k));
  }
};

describe('ECVRF', () => {
  const key = vrfKey(new Uint8Array(32).fill(9));
  const alpha = Uint8Array.of(1, 2, 3);

  it.each(SUITES)(
    'R98: refuses keys of small order, which would have one output for any input: %s',
    (suite) => {
      for (const small of ED25519_TORSION_SUBGROUP) {
        const publicKey = bytes(small);
        const proof = forgedProof(suite, publicKey, alpha);
        // Every equation of the proof holds; the key alone is why it counts for nothing.
        expect(ecvrfVerify({ suite, publicKey, alpha, proof })).toBeNull();
      }
    },
  );

  it.each(SUITES)('R98: refuses a Gamma or a key that is not canonical: %s', (suite) => {
    const { proof } = ecvrfProve(suite, key, alpha);
    const input = { suite, publicKey: key.publicKey, alpha, proof };
    expect(ecvrfVerify(input)).not.toBeNull();
    expect(ecvrfVerify({ ...input, proof: concatBytes(NON_CANONICAL, proof.subarray(32)) })).toBeNull();
    expect(ecvrfVerify({ ...input, publicKey: NON_CANONICAL })).toBeNull();
  });

  it('R98: proves and verifies any input, with one output per key and input', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUITES),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 300 }),
        (suite, secret, input) => {
          const own = vrfKey(secret);
          const { proof, output } = ecvrfProve(suite, own, input);
          expect(ecvrfProve(suite, own, input).output).toEqual(output);
          const beta = ecvrfVerify({ suite, publicKey: own.publicKey, alpha: input, proof });
          expect(beta && hex(beta)).toBe(hex(output));
          const other = concatBytes(input, Uint8Array.of(1));
          expect(hex(ecvrfProve(suite, own, other).output)).not.toBe(hex(output));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('R98: answers null to whatever else is no proof', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SUITES), fc.uint8Array(), fc.uint8Array(), (suite, publicKey, proof) => {
        expect(ecvrfVerify({ suite, publicKey, alpha, proof })).toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 80, maxLength: 80 }), (proof) => {
        expect(
          ecvrfVerify({ suite: 'edwards25519-ell2', publicKey: key.publicKey, alpha, proof }),
        ).toBeNull();
      }),
    );
    const { proof } = ecvrfProve('edwards25519-tai', key, alpha);
    const input = { suite: 'edwards25519-tai', publicKey: key.publicKey, alpha, proof };
    for (const foreign of [
      { suite: 'toString' },
      { suite: 3 },
      { publicKey: 'text' },
      { alpha: null },
      { proof: [...proof] },
    ]) {
      expect(ecvrfVerify({ ...input, ...foreign } as unknown as EcvrfInput)).toBeNull();
    }
  });
});
