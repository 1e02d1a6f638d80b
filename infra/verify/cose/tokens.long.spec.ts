import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ccaToken,
  encode,
  keyPair,
  psaClaims,
  sign1,
  type Value,
} from '../../../test/support/attestation/cose.ts';
import { codesOf, expectRefused, failures, flipped } from '../../../test/support/attestation/verdicts.ts';
import { vectorsOf } from '../../../test/support/vectors.ts';
import { type TrustedRoot, verifyAttestation } from '../index.ts';
import { keyHashOf } from '../x509/chain.ts';
import type { TokenInput } from './psa.ts';

/** Thousands of verifications, on a machine that may be busy. */
const EXHAUSTIVE_MS = 120_000;

const NOW = '2026-03-01T12:00:00Z';
const psaVectors = vectorsOf('tee/psa');
const ccaVectors = vectorsOf('tee/cca');
type Input = TokenInput & { readonly format: 'psa' | 'cca' };

const codes = async (input: Input): Promise<string[]> => codesOf(await verifyAttestation(input));

const psaVector = (token: string, key: string): Input => ({
  format: 'psa',
  evidence: psaVectors.bytes(token),
  collateral: { key: psaVectors.bytes(key) },
  now: NOW,
});
const ccaVector = (): Input => ({
  format: 'cca',
  evidence: ccaVectors.bytes('tfrmm_cca_token.cbor'),
  collateral: { key: ccaVectors.bytes('tfrmm_cca_platform.pub') },
  now: NOW,
});

const TOKENS = {
  'PSA 2.0.0': {
    present: psaVectors.present,
    load: () => psaVector('tfm_psa-2_0_0_sign1.bin', 'tfm_public.pem'),
    nonce: '00'.repeat(64),
    measurement: '96a2ec56c65120a60ce3a53ef8d2082233772aacd5b17935a92be12ac577f685',
  },
  'RFC 9783': {
    present: psaVectors.present,
    load: () => psaVector('rfc9783_psa-sign1.cbor', 'rfc9783_tfm-es-iak.pub.pem'),
    nonce: '01'.repeat(32),
    measurement: '03'.repeat(32),
  },
  CCA: {
    present: ccaVectors.present,
    load: ccaVector,
    nonce: 'ab'.repeat(64),
    measurement: '00'.repeat(32),
  },
} as const;

for (const [name, { present, load, nonce, measurement }] of Object.entries(TOKENS)) {
  describe.skipIf(!present)(`the published ${name} token`, () => {
    it('is verified and acceptable under its key, which the result says is the caller’s', async () => {
      const verdict = await verifyAttestation(load());
      expect(verdict).toMatchObject({ verified: true, acceptable: true });
      expect(verdict.reasons).toContainEqual({ step: 'key', ok: true, code: 'KEY_OF_CALLER' });
    });

    it('is labelled by the trust store where there is one, and unknown to the vendors’', async () => {
      const input = load();
      const spki = Buffer.from(
        new TextDecoder().decode(input.collateral.key).replace(/-----[A-Z ]+-----|\s/g, ''),
        'base64',
      );
      const root = { name: 'test key', keyHash: keyHashOf(spki) };
      const under = (roots: readonly TrustedRoot[]) => verifyAttestation({ ...input, policy: { roots } });
      expect(await under([{ ...root, platform: 'hardware' }])).toMatchObject({
        acceptable: true,
        platform: 'hardware',
      });
      const simulated = await under([{ ...root, platform: 'simulated' }]);
      expect(simulated).toMatchObject({ verified: true, acceptable: false, platform: 'simulated' });
      expect(failures(simulated)).toEqual(['platform SIMULATED_PLATFORM']);
      expect(codesOf(await under([]))).toEqual(['UNKNOWN_ROOT']);
      expect(codesOf(await under([{ ...root, platform: 'hardware', formats: ['sev-snp'] }]))).toEqual([
        'UNKNOWN_ROOT',
      ]);
    });

    it('carries its nonce and its measurement', async () => {
      const met = { nonce, measurement };
      expect(await codes({ ...load(), expected: met })).toEqual([]);
      const asBytes = { nonce: Buffer.from(nonce, 'hex'), measurement: Buffer.from(measurement, 'hex') };
      expect(await codes({ ...load(), expected: asBytes })).toEqual([]);
      expect(await codes({ ...load(), expected: { reportData: nonce } })).toEqual([]);
      const wrong = 'cd'.repeat(nonce.length / 2);
      expect(await codes({ ...load(), expected: { nonce: wrong } })).toEqual(['REPORT_DATA_MISMATCH']);
      expect(await codes({ ...load(), expected: { nonce: nonce.slice(2) } })).toEqual([
        'REPORT_DATA_MISMATCH',
      ]);
      expect(await codes({ ...load(), expected: { measurement: 'cd'.repeat(32) } })).toEqual([
        'MEASUREMENT_MISMATCH',
      ]);
      expect(await codes({ ...load(), policy: { measurements: [] } })).toEqual(['MEASUREMENT_NOT_ALLOWED']);
    });

    it('is refused after a flip of any bit', { timeout: EXHAUSTIVE_MS }, async () => {
      const input = load();
      for (let at = 0; at < input.evidence.length * 8; at++)
        await expectRefused({ ...input, evidence: flipped(input.evidence, at >> 3, 1 << (at & 7)) });
    });

    it('is malformed at every shorter length, and one byte longer', async () => {
      const input = load();
      for (let length = 0; length < input.evidence.length; length++)
        expect(await codes({ ...input, evidence: input.evidence.subarray(0, length) })).toEqual([
          'MALFORMED',
        ]);
      expect(await codes({ ...input, evidence: Buffer.concat([input.evidence, Buffer.of(0)]) })).toEqual([
        'MALFORMED',
      ]);
    });

    it('needs a key that is one', async () => {
      const input = load();
      const { key } = input.collateral;
      for (const bad of [undefined, null, 'text', new Uint8Array(0), key.subarray(1), key.subarray(0, 80)])
        expect(await codes({ ...input, collateral: { key: bad as never } })).toEqual(['BAD_COLLATERAL']);
      expect(await expectRefused({ ...input, collateral: { key: keyPair().spki } })).toContain(
        'BAD_SIGNATURE',
      );
    });

    it('survives any bytes as evidence and as key', async () => {
      const input = load();
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 700 }), fc.nat(), async (noise, at) => {
          await expectRefused({ ...input, evidence: noise });
          const spliced = new Uint8Array(input.evidence);
          const start = at % (spliced.length - 8);
          spliced.set(noise.subarray(0, 8), start);
          if (Buffer.compare(spliced, input.evidence) !== 0)
            await expectRefused({ ...input, evidence: spliced });
          await expectRefused({ ...input, collateral: { key: noise } });
        }),
      );
    });
  });
}

describe.skipIf(!psaVectors.present)('published PSA tokens', () => {
  it('are refused as COSE_Mac0', async () => {
    for (const [token, key] of [
      ['tfm_psa-2_0_0_mac0.bin', 'tfm_public.pem'],
      ['rfc9783_psa-mac0.cbor', 'rfc9783_tfm-es-iak.pub.pem'],
    ] as const)
      expect(await expectRefused(psaVector(token, key))).toEqual(['MAC_REFUSED']);
  });

  it('have a bad signature under the key of the other, and after a flip of byte 40', async () => {
    const [older, newer] = ['tfm_public.pem', 'rfc9783_tfm-es-iak.pub.pem'];
    expect(await expectRefused(psaVector('tfm_psa-2_0_0_sign1.bin', newer))).toEqual(['BAD_SIGNATURE']);
    expect(await expectRefused(psaVector('rfc9783_psa-sign1.cbor', older))).toEqual(['BAD_SIGNATURE']);
    const input = psaVector('tfm_psa-2_0_0_sign1.bin', older);
    expect(await expectRefused({ ...input, evidence: flipped(input.evidence, 40) })).toEqual([
      'BAD_SIGNATURE',
    ]);
  });
});

describe('a PSA token of one’s own', () => {
  const signer = keyPair();
  const token = (change: readonly (readonly [number, Value])[] = []): Input => ({
    format: 'psa',
    evidence: sign1(psaClaims(Buffer.alloc(64, 1), change), signer),
    collateral: { key: signer.spki },
    now: NOW,
  });

  it('is verified but not acceptable with an unknown profile or outside the secured lifecycle', async () => {
    for (const [change, code] of [
      [[265, 'tag:example.com,2026:other'], 'PROFILE_UNKNOWN'],
      [[2395, 0x2fff], 'LIFECYCLE_NOT_SECURED'],
      [[2395, 0x3100], 'LIFECYCLE_NOT_SECURED'],
      [[2395, 0x4000], 'LIFECYCLE_NOT_SECURED'],
      [[2395, 0], 'LIFECYCLE_NOT_SECURED'],
      [[2395, -1], 'BAD_CLAIMS'],
      [[265, 7], 'BAD_CLAIMS'],
      [[256, Buffer.alloc(33, 2)], 'BAD_CLAIMS'],
      [[2396, Buffer.alloc(31)], 'BAD_CLAIMS'],
      [[10, Buffer.alloc(33)], 'BAD_CLAIMS'],
      [[268, Buffer.alloc(7)], 'BAD_CLAIMS'],
      [[2399, []], 'BAD_CLAIMS'],
      [[2399, [7]], 'BAD_CLAIMS'],
    ] as const) {
      const verdict = await verifyAttestation(token([change]));
      expect(verdict).toMatchObject({ verified: true, acceptable: false });
      expect(codesOf(verdict)).toEqual([code]);
    }
    expect(await codes(token([[2395, 0x30ff]]))).toEqual([]);
    expect(await codes({ ...token([[2395, 0x4000]]), policy: { allowDebug: true } })).toEqual([]);
    expect(await codes({ ...token([[2395, 0x5000]]), policy: { allowDebug: true } })).toEqual([
      'LIFECYCLE_NOT_SECURED',
    ]);
  });

  it('must come from the signers on the list', async () => {
    expect(await codes({ ...token(), policy: { signers: ['bb'.repeat(32)] } })).toEqual([]);
    expect(await codes({ ...token(), policy: { signers: ['bc'.repeat(32)] } })).toEqual([
      'SIGNER_NOT_ALLOWED',
    ]);
  });

  it('has no critical header, no algorithm outside the protected one, and the right tag', async () => {
    const evidence = token().evidence;
    for (const message of [
      sign1(psaClaims(Buffer.alloc(64, 1)), signer, 98),
      encode({
        tag: 18,
        value: [
          encode(
            new Map<number, Value>([
              [1, -7],
              [2, [1]],
            ]),
          ),
          new Map(),
          evidence,
          evidence,
        ],
      }),
      encode({ tag: 18, value: [encode(new Map([[1, -7]])), new Map([[1, -7]]), evidence, evidence] }),
      encode({ tag: 18, value: [encode(new Map([[1, -8]])), new Map(), evidence, evidence] }),
      encode({ tag: 18, value: [Buffer.of(), new Map(), evidence, evidence] }),
      encode({ tag: 18, value: [evidence, new Map(), evidence] }),
      encode([1]),
    ])
      expect(await expectRefused({ ...token(), evidence: message })).toEqual(['MALFORMED']);
  });
});

describe('a CCA token of one’s own', () => {
  const signer = keyPair('P-384');
  const challenge = Buffer.alloc(64, 9);
  const token = (faults: Parameters<typeof ccaToken>[2] = {}): Input => ({
    format: 'cca',
    evidence: ccaToken(signer, challenge, faults),
    collateral: { key: signer.spki },
    now: NOW,
  });

  it('is acceptable, with its registers', async () => {
    const runtimeMeasurements = ['01'.repeat(32), '02'.repeat(32)];
    expect(await codes({ ...token(), expected: { nonce: challenge, runtimeMeasurements } })).toEqual([]);
    const wrong = { runtimeMeasurements: [...runtimeMeasurements].reverse() };
    expect(await codes({ ...token(), expected: wrong })).toEqual(['RUNTIME_MEASUREMENT_MISMATCH']);
  });

  it('is refused for a broken binding, another signer of the realm, or claims that are none', async () => {
    for (const [faults, code] of [
      [{ realm: [[44240, 'sha-512']] }, 'BINDING_BROKEN'],
      [{ realm: [[44240, 'md5']] }, 'BINDING_BROKEN'],
      [{ realm: [[44240, 'constructor']] }, 'BINDING_BROKEN'],
      [{ platform: [[10, Buffer.alloc(32)]] }, 'BINDING_BROKEN'],
      [{ realmSigner: keyPair('P-384') }, 'BAD_SIGNATURE'],
      [{ realm: [[44237, Buffer.alloc(96, 4)]] }, 'BAD_CLAIMS'],
    ] as const)
      expect(await expectRefused(token(faults as never))).toEqual([code]);
    for (const [faults, code] of [
      [{ platform: [[265, 'other']] }, 'PROFILE_UNKNOWN'],
      [{ platform: [[2395, 0x4000]] }, 'LIFECYCLE_NOT_SECURED'],
      [{ realm: [[44239, [1]]] }, 'BAD_CLAIMS'],
      [{ realm: [[10, Buffer.alloc(32)]] }, 'BAD_CLAIMS'],
    ] as const) {
      const verdict = await verifyAttestation(token(faults));
      expect(verdict).toMatchObject({ verified: true, acceptable: false });
      expect(codesOf(verdict)).toEqual([code]);
    }
  });

  it.skipIf(!ccaVectors.present)('does not verify with the realm part of another', async () => {
    const { evidence, collateral } = ccaVector();
    // Both parts are byte strings at the end of the token, the realm's last.
    const realmOf = (bytes: Uint8Array) => Buffer.from(bytes).lastIndexOf(Buffer.from('19acd1', 'hex'));
    const own = token().evidence;
    const mixed = Buffer.concat([evidence.subarray(0, realmOf(evidence)), own.subarray(realmOf(own))]);
    expect(await expectRefused({ format: 'cca', evidence: mixed, collateral, now: NOW })).toEqual([
      'BINDING_BROKEN',
    ]);
  });
});
