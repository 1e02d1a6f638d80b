import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { leafHash, nodeHash } from '../../domain/merkle.ts';
import { RFC_9381 } from '../../domain/vrf/rfc9381.fixture.ts';
import { simulatedMachine } from '../../test/workloads/simulated-machine.ts';
import { blockWith } from './anchor.fixture.ts';
import { exportText, logOf, signer } from './export/export.fixture.ts';
import {
  ecvrfVerify,
  verifyAnchor,
  verifyAttestation,
  verifyCheckpoint,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from './index.ts';

const NOW = '2026-03-01T12:00:00.000Z';

/** What JSON, another language's habits or a slip may put where bytes or a number belong. */
const WRONG: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['a fraction', 1.5],
  ['a negative number', -1],
  ['a number without exact value', 2 ** 53],
  ['2^64', 2n ** 64n],
  ['a text', 'ab'.repeat(32)],
  ['an object', {}],
  ['an empty list', []],
  ['a list with holes', new Array(3)],
  ['a list of numbers', Array.from({ length: 32 }, () => 0)],
  ['no bytes', new Uint8Array()],
  ['a byte too few', new Uint8Array(31)],
  ['other bytes in shared memory', new Uint8Array(new SharedArrayBuffer(32))],
  ['a view without elements', new DataView(new ArrayBuffer(32))],
  ['32 bytes of words', new Uint16Array(16)],
  ['32 bytes of floats', new Float64Array(4)],
  ['a buffer', new ArrayBuffer(32)],
  ['something like a list', { length: 2 ** 32 }],
];

const leaves = [1, 2, 3].map((byte) => leafHash(Uint8Array.of(byte))) as [Uint8Array, Uint8Array, Uint8Array];
const two = nodeHash(leaves[0], leaves[1]);
const three = nodeHash(two, leaves[2]);
const vector = RFC_9381.find(({ alpha }) => alpha !== '') as (typeof RFC_9381)[number];
const log = logOf(3);

const report = await (async () => {
  const { platform, roots } = simulatedMachine(NOW);
  const said = { measurement: '11'.repeat(48), reportData: new Uint8Array(64).fill(0x22) };
  const { report: evidence, certificates } = await platform.quote(said);
  const [vcek = new Uint8Array(), ...chain] = certificates;
  return {
    format: 'sev-snp',
    evidence,
    collateral: { vcek, chain },
    now: NOW,
    policy: { roots, allowSimulated: true },
    expected: said,
  } as const;
})();

interface Case {
  readonly good: object;
  readonly accepts: (input: never) => unknown;
  /** Fields that may be anything or nothing. */
  readonly free?: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  verifyInclusion: {
    good: { leafHash: leaves[1], index: 1, size: 3, root: three, path: [leaves[0], leaves[2]] },
    accepts: verifyInclusion,
  },
  verifyConsistency: {
    good: { size1: 2, size2: 3, root1: two, root2: three, path: [leaves[2]] },
    accepts: verifyConsistency,
  },
  ecvrfVerify: {
    good: {
      suite: vector.suite,
      publicKey: hexToBytes(vector.pk),
      alpha: hexToBytes(vector.alpha),
      proof: hexToBytes(vector.pi),
    },
    accepts: (input) => ecvrfVerify(input) !== null,
  },
  verifyCheckpoint: {
    good: { checkpoint: log.checkpoint(3), publicKey: signer.publicKey },
    accepts: (input) => verifyCheckpoint(input).valid,
  },
  verifyAnchor: { good: blockWith(), accepts: (input) => verifyAnchor(input).valid },
  verifyExport: {
    good: { source: exportText(log) },
    accepts: async (input) => (await verifyExport(input)).valid,
  },
  verifyAttestation: {
    good: report,
    accepts: async (input) => (await verifyAttestation(input)).acceptable,
    free: ['now', 'policy', 'expected'],
  },
};

describe.each(Object.entries(CASES))('%s', (_, { good, accepts, free = [] }) => {
  test('accepts what is right', async () => {
    expect(await accepts(good as never)).toBe(true);
  });

  test.each(WRONG)('refuses %s in any place, and never throws', async (_, value) => {
    for (const field of Object.keys(good).filter((name) => !free.includes(name)))
      expect([field, await accepts({ ...good, [field]: value } as never)]).toEqual([field, false]);
  });
});

test('bytes in shared memory are bytes', () => {
  const { good, accepts } = CASES['verifyInclusion'] as Case;
  const root = new Uint8Array(new SharedArrayBuffer(32));
  root.set(three);
  expect(accepts({ ...good, root } as never)).toBe(true);
});

describe('what an attestation report must say', () => {
  const fields = ['measurement', 'reportData', 'nonce', 'key', 'runtimeMeasurements'];

  test.each(WRONG.slice(1))('is met by no report when it is %s', async (_, value) => {
    for (const field of fields) {
      const { verified, acceptable } = await verifyAttestation({
        ...report,
        expected: { [field]: value },
      });
      expect([field, verified, acceptable]).toEqual([field, true, false]);
    }
  });

  test('registers are not there to be demanded in a format without them', async () => {
    const verdict = await verifyAttestation({
      ...report,
      expected: { runtimeMeasurements: ['33'.repeat(48)] },
    });
    expect(verdict).toMatchObject({ verified: true, acceptable: false });
    expect(verdict.reasons.filter(({ ok }) => !ok)).toEqual([
      { step: 'runtime-measurements', ok: false, code: 'RUNTIME_MEASUREMENT_MISMATCH' },
    ]);
  });

  test('a format is a name, not a list with one', async () => {
    expect(await verifyAttestation({ ...report, format: ['sev-snp'] } as never)).toMatchObject({
      verified: false,
      reasons: [{ code: 'UNSUPPORTED_FORMAT' }],
    });
  });
});
