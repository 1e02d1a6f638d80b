import { verify as peerVerify } from '@phala/dcap-qvl';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { codesOf, expectRefused, failures, flipped } from '../../../test/support/attestation/verdicts.ts';
import { vectorsOf } from '../../../test/support/vectors.ts';
import { verifyAttestation } from '../index.ts';
import type { DcapCollateral } from './collateral.ts';
import { parseQuote, QUOTE, SGX_REPORT, TD_REPORT } from './quote.ts';
import type { DcapInput } from './verify.ts';

/** Thousands of verifications, on a machine that may be busy. */
const EXHAUSTIVE_MS = 120_000;

const FORMATS = {
  'sgx-dcap': { vectors: vectorsOf('tee/sgx-dcap'), name: 'sgx_quote', now: '2025-06-19T11:56:11Z' },
  'tdx-dcap': { vectors: vectorsOf('tee/tdx-dcap'), name: 'tdx_quote', now: '2025-06-19T11:32:27Z' },
} as const;
type Format = keyof typeof FORMATS;
const present = Object.values(FORMATS).every(({ vectors }) => vectors.present);

const genuineOf = (format: Format): DcapInput => {
  const { vectors, name, now } = FORMATS[format];
  return {
    format,
    evidence: vectors.bytes(name),
    collateral: vectors.json(`${name}_collateral.json`) as DcapCollateral,
    now,
  };
};

/** Whether Phala's independent verifier accepts the same. */
const peerAccepts = ({ evidence, collateral, now }: DcapInput): boolean => {
  try {
    peerVerify(evidence, collateral as never, Date.parse(String(now)) / 1000);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return false;
  }
};

describe.skipIf(!present)('the genuine SGX quote', () => {
  let genuine: DcapInput;
  beforeAll(() => {
    genuine = genuineOf('sgx-dcap');
  });

  it('is verified; its platform needs hardening, which the strict policy refuses with the advisories', async () => {
    const verdict = await verifyAttestation(genuine);
    expect(verdict).toMatchObject({ verified: true, acceptable: false, platform: 'hardware' });
    expect(verdict.tcb?.status).toBe('ConfigurationAndSWHardeningNeeded');
    expect([...(verdict.tcb?.advisories ?? [])].sort()).toEqual(['INTEL-SA-00289', 'INTEL-SA-00615']);
    expect(failures(verdict)).toEqual([
      'tcb TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED',
      'advisories ADVISORY_NOT_ACCEPTED',
    ]);
  });

  it('is acceptable where that state and these advisories are, and says the state', async () => {
    const policy = {
      tcbStatuses: ['ConfigurationAndSWHardeningNeeded'],
      advisories: ['INTEL-SA-00289', 'INTEL-SA-00615'],
    } as const;
    const verdict = await verifyAttestation({ ...genuine, policy });
    expect(verdict).toMatchObject({ verified: true, acceptable: true, platform: 'hardware' });
    expect(verdict.reasons).toContainEqual({
      step: 'tcb',
      ok: true,
      code: 'TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED',
    });
    const partly = { ...policy, advisories: ['INTEL-SA-00289'] };
    expect(failures(await verifyAttestation({ ...genuine, policy: partly }))).toEqual([
      'advisories ADVISORY_NOT_ACCEPTED',
    ]);
  });

  it('has a bad signature after a flip of its measurement or its report data', async () => {
    for (const at of [SGX_REPORT.mrEnclave, SGX_REPORT.reportData])
      expect(
        await expectRefused({ ...genuine, evidence: flipped(genuine.evidence, QUOTE.headerSize + at) }),
      ).toContain('BAD_SIGNATURE');
  });
});

describe.skipIf(!present)('the genuine TDX quote', () => {
  it('is acceptable as it is', async () => {
    const verdict = await verifyAttestation(genuineOf('tdx-dcap'));
    expect(verdict).toMatchObject({ verified: true, acceptable: true, platform: 'hardware' });
    expect(verdict.tcb).toEqual({ status: 'UpToDate', advisories: [] });
  });

  it('has a bad signature after a flip of its measurement or its report data', async () => {
    const genuine = genuineOf('tdx-dcap');
    for (const at of [TD_REPORT.mrTd, TD_REPORT.rtmr0, TD_REPORT.reportData])
      expect(
        await expectRefused({ ...genuine, evidence: flipped(genuine.evidence, QUOTE.headerSize + at) }),
      ).toContain('BAD_SIGNATURE');
  });

  it('is followed by zeros of the buffer that it came in, and by nothing else', async () => {
    const genuine = genuineOf('tdx-dcap');
    const last = genuine.evidence.length - 1;
    expect(await expectRefused({ ...genuine, evidence: flipped(genuine.evidence, last) })).toEqual([
      'MALFORMED',
    ]);
  });
});

describe.skipIf(!present).each(Object.keys(FORMATS) as Format[])('a genuine %s quote', (format) => {
  let genuine: DcapInput;
  /** End of what the quote holds; zeros may follow. */
  let end: number;
  beforeAll(() => {
    genuine = genuineOf(format);
    const { certificates } = parseQuote(genuine.evidence);
    end = certificates.byteOffset - genuine.evidence.byteOffset + certificates.length;
  });

  it('expires with its collateral, and is not valid before it', async () => {
    for (const now of ['2025-07-20T00:00:00Z', 1_924_992_000])
      expect(await expectRefused({ ...genuine, now })).toContain('TCB_INFO_EXPIRED');
    expect(await expectRefused({ ...genuine, now: '2025-06-18T00:00:00Z' })).toEqual(
      expect.arrayContaining(['TCB_INFO_NOT_YET_VALID', 'QE_IDENTITY_NOT_YET_VALID', 'CRL_NOT_YET_VALID']),
    );
    expect(await expectRefused({ ...genuine, now: '2035-01-01T00:00:00Z' })).toContain('EXPIRED');
  });

  it('does not verify with the collateral of the other quote, nor as the other format', async () => {
    const other = genuineOf(format === 'sgx-dcap' ? 'tdx-dcap' : 'sgx-dcap');
    expect(await expectRefused({ ...genuine, collateral: other.collateral })).toEqual([
      'COLLATERAL_MISMATCH',
    ]);
    expect(await expectRefused({ ...genuine, format: other.format })).toEqual(['WRONG_FORMAT']);
  });

  it('has no root in another trust store', async () => {
    expect(await expectRefused({ ...genuine, policy: { roots: [] } })).toContain('UNKNOWN_ROOT');
  });

  it('is refused after a flip at any offset: report, signatures, keys and certificates', {
    timeout: EXHAUSTIVE_MS,
  }, async () => {
    for (let at = 0; at < end; at++)
      await expectRefused({ ...genuine, evidence: flipped(genuine.evidence, at, 1 << (at % 8)) });
  });

  it('is malformed at every shorter length', async () => {
    for (let length = 0; length < end; length++)
      expect(await expectRefused({ ...genuine, evidence: genuine.evidence.subarray(0, length) })).toEqual([
        'MALFORMED',
      ]);
  });

  it('is refused after a change anywhere in its collateral (120 samples of each member)', {
    timeout: EXHAUSTIVE_MS,
  }, async () => {
    const changed = (text: string, at: number): string =>
      `${text.slice(0, at)}${text[at] === '7' ? '4' : '7'}${text.slice(at + 1)}`;
    for (const [member, text] of Object.entries(genuine.collateral) as [keyof DcapCollateral, string][]) {
      // Not read: the list is checked under the chain of the quote itself.
      if ((member as string) === 'pck_crl_issuer_chain') continue;
      for (let sample = 0; sample < 120; sample++) {
        const at = Math.floor((sample * text.length) / 120);
        await expectRefused({
          ...genuine,
          collateral: { ...genuine.collateral, [member]: changed(text, at) },
        });
      }
    }
  });

  it('needs every member of its collateral, each of the right kind', async () => {
    for (const member of Object.keys(genuine.collateral)) {
      if (member === 'pck_crl_issuer_chain') continue;
      for (const value of [undefined, null, 7, '', [], [256], { a: 1 }])
        expect(
          await expectRefused({ ...genuine, collateral: { ...genuine.collateral, [member]: value } }),
        ).toEqual(['BAD_COLLATERAL']);
    }
    for (const collateral of [null, 'text', 7, []] as never[])
      expect(await expectRefused({ ...genuine, collateral })).toEqual(['BAD_COLLATERAL']);
  });

  it('is accepted by an independent verifier too, and what that refuses is refused here', async () => {
    expect(peerAccepts(genuine)).toBe(true);
    const samples = fc.record({ at: fc.nat({ max: end - 1 }), mask: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(samples, async ({ at, mask }) => {
        const altered = { ...genuine, evidence: flipped(genuine.evidence, at, mask) };
        const verdict = await verifyAttestation(altered);
        if (!peerAccepts(altered)) expect(verdict.verified).toBe(false);
      }),
      { numRuns: 60 },
    );
    expect(peerAccepts({ ...genuine, now: '2025-07-20T00:00:00Z' })).toBe(false);
  });

  it('survives any bytes as evidence and any JSON as collateral', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.jsonValue(), async (noise, collateral) => {
        await expectRefused({ ...genuine, evidence: noise });
        const spliced = new Uint8Array(genuine.evidence);
        spliced.set(noise.subarray(0, 64), 8 + (noise.length % 3000));
        if (noise.length > 64) await expectRefused({ ...genuine, evidence: spliced });
        await expectRefused({ ...genuine, collateral: collateral as never });
        const texts = { ...genuine.collateral, tcb_info: JSON.stringify(collateral) };
        await expectRefused({ ...genuine, collateral: texts });
      }),
    );
  });

  it('says the same whatever the demands', async () => {
    const demanded = await verifyAttestation({ ...genuine, expected: { nonce: '00'.repeat(32) } });
    expect(demanded.verified).toBe(true);
    expect(codesOf(demanded)).toContain('REPORT_DATA_MISMATCH');
  });
});
