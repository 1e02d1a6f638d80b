import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { measurementOf, reportData } from '../../../domain/enclave/measurement.ts';
import { revocationList } from '../../../test/support/attestation/revocation-list.ts';
import { simulatedMachine } from '../../../test/workloads/simulated-machine.ts';
import { issueCertificate } from '../../tee/simulated/certificate.ts';
import { signReport, unsignedReport } from '../../tee/simulated/platform.ts';
import { issueChip, trustedRootOf } from '../../tee/simulated/root.ts';
import { type AttestationVerdict, verifyAttestation } from '../index.ts';
import { SNP } from './report.ts';
import type { SnpInput } from './verify.ts';

type AttestationInput = SnpInput & { readonly format: 'sev-snp' };

const flipped = (bytes: Uint8Array, at: number, mask = 1): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
};

const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' });

const failures = ({ reasons }: AttestationVerdict): string[] =>
  reasons.filter((step) => !step.ok).map(({ step, code }) => `${step} ${code}`);

/** A refusal with reasons, whatever was altered: never a crash, never acceptance. */
const expectRefused = async (input: AttestationInput): Promise<string[]> => {
  const verdict = await verifyAttestation(input);
  expect(verdict.verified || verdict.acceptable).toBe(false);
  expect(verdict.platform).toBe('simulated');
  expect(verdict.reasons.length).toBe(13);
  return failures(verdict);
};

const vectors = fileURLToPath(new URL('../../../../shared/vectors/tee/sev-snp/', import.meta.url));
const present = existsSync(vectors);
if (!present) console.warn('skipped: the SEV-SNP reference vectors are not beside this checkout');

describe.skipIf(!present)('the genuine Milan report', () => {
  let genuine: AttestationInput;
  const chainOf = async (name: string) => new Uint8Array(await readFile(`${vectors}ask_ark_${name}.pem`));
  beforeAll(async () => {
    genuine = {
      format: 'sev-snp',
      evidence: new Uint8Array(await readFile(`${vectors}milan_attestation_gosevguest.bin`)),
      collateral: {
        vcek: new Uint8Array(await readFile(`${vectors}milan_vcek_gosevguest.cer`)),
        chain: await chainOf('milan'),
      },
      now: '2025-06-01T00:00:00Z',
    };
  });

  it('is verified under the pinned root, and refused by the strict policy for its debug bit alone', async () => {
    const verdict = await verifyAttestation(genuine);
    expect(verdict).toMatchObject({ verified: true, acceptable: false, platform: 'hardware' });
    expect(failures(verdict)).toEqual(['debug DEBUG_ALLOWED']);
  });

  it('is acceptable where debugging is', async () => {
    const verdict = await verifyAttestation({ ...genuine, policy: { allowDebug: true } });
    expect(verdict).toMatchObject({ verified: true, acceptable: true, platform: 'hardware' });
  });

  it('is expired in 2031 and not yet valid in 2022', async () => {
    expect(await expectRefused({ ...genuine, now: '2031-01-01T00:00:00Z' })).toContain('validity EXPIRED');
    expect(await expectRefused({ ...genuine, now: '2022-09-01T00:00:00Z' })).toContain(
      'validity NOT_YET_VALID',
    );
    expect(await expectRefused({ ...genuine, now: 1_924_992_000 })).toContain('validity EXPIRED');
  });

  it('has no chain over another intermediate, and no root in another store', async () => {
    for (const name of ['genoa', 'turin_vcek', 'milan_vlek']) {
      const collateral = { ...genuine.collateral, chain: await chainOf(name) };
      expect(await expectRefused({ ...genuine, collateral })).toContain('chain BAD_CHAIN');
    }
    expect(await expectRefused({ ...genuine, policy: { roots: [] } })).toContain('chain UNKNOWN_ROOT');
  });

  it('is refused after a flip of any byte of the signed part or of the signature', async () => {
    for (let at = 0; at < SNP.size; at++)
      await expectRefused({
        ...genuine,
        policy: { allowDebug: true },
        evidence: flipped(genuine.evidence, at),
      });
    for (const at of [SNP.reportData, SNP.measurement])
      expect(await expectRefused({ ...genuine, evidence: flipped(genuine.evidence, at) })).toContain(
        'signature BAD_SIGNATURE',
      );
  });

  it('is refused after a flip of any byte of its certificate', async () => {
    const { vcek, chain } = genuine.collateral;
    for (let at = 0; at < vcek.length; at++)
      await expectRefused({
        ...genuine,
        policy: { allowDebug: true },
        collateral: { vcek: flipped(vcek, at, 0x10), chain },
      });
  });

  it('is malformed at every shorter length, and so is its certificate', async () => {
    const { vcek, chain } = genuine.collateral;
    for (let length = 0; length < SNP.size; length++)
      expect(await expectRefused({ ...genuine, evidence: genuine.evidence.subarray(0, length) })).toContain(
        'format MALFORMED',
      );
    for (let length = 0; length < vcek.length; length++)
      expect(
        await expectRefused({ ...genuine, collateral: { vcek: vcek.subarray(0, length), chain } }),
      ).toContain('format BAD_COLLATERAL');
  });
});

describe('a simulated report', () => {
  const NOW = '2026-03-01T12:00:00Z';
  const KEY = 'c0'.repeat(32);
  const NONCE = 'ab'.repeat(32);
  const MEASUREMENT = measurementOf('00'.repeat(48), { memoryMb: 64, cpuCores: 1, allowDebug: false });
  const machine = simulatedMachine(NOW);
  const [vcek, ...chain] = machine.chip.certificates;
  const expected = { measurement: MEASUREMENT, nonce: NONCE, key: KEY };
  const fields = {
    measurement: MEASUREMENT,
    reportData: reportData(NONCE, KEY),
    chipId: machine.chip.chipId,
    versions: machine.chip.versions,
  };
  const signed = (change: Partial<Parameters<typeof unsignedReport>[0]> = {}): Uint8Array =>
    signReport(unsignedReport({ ...fields, ...change }), machine.chip);
  const input = (evidence = signed()): AttestationInput => ({
    format: 'sev-snp',
    evidence,
    collateral: { vcek, chain },
    now: NOW,
    policy: { roots: machine.roots, allowSimulated: true },
    expected,
  });
  const codes = async (given: AttestationInput): Promise<string[]> =>
    failures(await verifyAttestation(given));

  it('is acceptable under a store with its root, and labelled by it', async () => {
    expect(await verifyAttestation(input())).toMatchObject({
      verified: true,
      acceptable: true,
      platform: 'simulated',
    });
  });

  it('never satisfies a policy that wants hardware, and is unknown to the default store', async () => {
    const refused = await verifyAttestation({ ...input(), policy: { roots: machine.roots } });
    expect(refused).toMatchObject({ verified: true, acceptable: false });
    expect(failures(refused)).toEqual(['platform SIMULATED_PLATFORM']);
    expect(await expectRefused({ ...input(), policy: { allowSimulated: true } })).toContain(
      'chain UNKNOWN_ROOT',
    );
    const other = simulatedMachine(NOW);
    expect(
      await expectRefused({ ...input(), policy: { roots: other.roots, allowSimulated: true } }),
    ).toContain('chain UNKNOWN_ROOT');
  });

  it('is refused for each single fault with exactly its own code', async () => {
    const otherChip = flipped(machine.chip.chipId, 5);
    expect(await codes(input(signed({ chipId: otherChip })))).toEqual([
      'chip CHIP_ID_MISMATCH',
      'platform NOT_CHECKED',
    ]);
    const versions = { ...machine.chip.versions, snp: 9 };
    expect(await codes(input(signed({ versions })))).toEqual(['tcb TCB_MISMATCH', 'platform NOT_CHECKED']);
    expect(await codes(input(signed({ measurement: '11'.repeat(48) })))).toEqual([
      'measurement MEASUREMENT_MISMATCH',
    ]);
    expect(await codes(input(signed({ policy: 0xb0000n })))).toEqual(['debug DEBUG_ALLOWED']);
    expect(await codes(input(signed({ vmpl: 1 })))).toEqual(['vmpl VMPL_TOO_HIGH']);
    expect(await codes(input(signed({ reportData: new Uint8Array(64) })))).toEqual([
      'report-data REPORT_DATA_MISMATCH',
    ]);
    expect(await codes({ ...input(), now: '2034-01-01T00:00:00Z' })).toEqual([
      'validity EXPIRED',
      'platform NOT_CHECKED',
    ]);
  });

  it('must report security versions as new as policy asks', async () => {
    const withMinimum = (minimumTcb: object) =>
      codes({ ...input(), policy: { roots: machine.roots, allowSimulated: true, minimumTcb } });
    expect(await withMinimum({})).toEqual([]);
    expect(await withMinimum(machine.chip.versions)).toEqual([]);
    for (const name of ['bootLoader', 'tee', 'snp', 'microcode'] as const)
      expect(await withMinimum({ [name]: machine.chip.versions[name] + 1 })).toEqual(['svn SVN_TOO_LOW']);
    // A Milan chip has none.
    expect(await withMinimum({ fmc: 0 })).toEqual(['svn SVN_TOO_LOW']);
  });

  it('is refused when the root revoked what issued it, or its list is not to be trusted', async () => {
    const ms = Date.parse(NOW);
    const [arkPair, askPair, stranger] = [p384(), p384(), p384()];
    const issue = (subject: string, publicKey: KeyObject): Uint8Array =>
      issueCertificate({
        subject,
        issuer: 'ARK-SIMULATED',
        publicKey,
        issuerKey: arkPair.privateKey,
        notBefore: ms - 1000,
        notAfter: ms + 1000,
        isAuthority: true,
      });
    const ark = issue('ARK-SIMULATED', arkPair.publicKey);
    const ask = issue('SEV-SIMULATED', askPair.publicKey);
    const chip = issueChip(
      { ark, ask, askKey: askPair.privateKey },
      { chipId: machine.chip.chipId, now: NOW },
    );
    const serial = Buffer.from(new X509Certificate(ask).serialNumber, 'hex');
    const list = (change: object) =>
      revocationList({
        issuer: 'ARK-SIMULATED',
        key: arkPair.privateKey,
        thisUpdate: ms - 1000,
        nextUpdate: ms + 1000,
        revoked: [Uint8Array.of(7)],
        ...change,
      });
    const under = (crl: Uint8Array) =>
      codes({
        ...input(signReport(unsignedReport(fields), chip)),
        policy: { roots: [trustedRootOf(ark)], allowSimulated: true },
        collateral: { vcek: chip.certificates[0], chain: [ask, ark], crl },
      });
    expect(await under(list({}))).toEqual([]);
    for (const [change, code] of [
      [{ revoked: [Uint8Array.of(7), serial] }, 'REVOKED'],
      [{ key: stranger.privateKey }, 'CRL_BAD_SIGNATURE'],
      [{ issuer: 'SEV-SIMULATED' }, 'COLLATERAL_MISMATCH'],
      [{ nextUpdate: ms - 1000 }, 'CRL_EXPIRED'],
      [{ thisUpdate: ms + 1000 }, 'CRL_NOT_YET_VALID'],
    ] as const)
      expect(await under(list(change))).toEqual([`revocation ${code}`, 'platform NOT_CHECKED']);
    const whole = list({});
    for (let length = 0; length < whole.length; length++)
      expect(await under(whole.subarray(0, length))).toContain('format BAD_COLLATERAL');
    for (let at = 0; at < whole.length; at++)
      expect(await under(flipped(whole, at, 1 << (at % 8)))).not.toEqual([]);
  });

  it('R38: binds the nonce and the key, and a malformed expectation is never met', async () => {
    const withExpected = (change: object) => codes({ ...input(), expected: { ...expected, ...change } });
    expect(await withExpected({ nonce: 'cd'.repeat(32) })).toEqual(['report-data REPORT_DATA_MISMATCH']);
    expect(await withExpected({ key: '00'.repeat(32) })).toEqual(['report-data REPORT_DATA_MISMATCH']);
    expect(await withExpected({ key: undefined })).toEqual(['report-data REPORT_DATA_MISMATCH']);
    expect(await withExpected({ nonce: 'xyz' })).toEqual(['report-data REPORT_DATA_MISMATCH']);
    expect(await withExpected({ nonce: 7 })).toEqual(['report-data REPORT_DATA_MISMATCH']);
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
    expect(await withExpected({ nonce: bytes(NONCE), key: bytes(KEY) })).toEqual([]);
    expect(await withExpected({ nonce: bytes(KEY), key: bytes(NONCE) })).toEqual([
      'report-data REPORT_DATA_MISMATCH',
    ]);
  });

  it('obeys the measurement allow-list', async () => {
    const withList = (measurements: string[]) =>
      codes({ ...input(), policy: { roots: machine.roots, allowSimulated: true, measurements } });
    expect(await withList([MEASUREMENT])).toEqual([]);
    expect(await withList([])).toEqual(['measurement MEASUREMENT_NOT_ALLOWED']);
  });

  it('says of what nobody demanded that it was not expected', async () => {
    const { reasons } = await verifyAttestation({ ...input(), expected: {} });
    expect(reasons.filter((step) => step.code === 'NOT_EXPECTED').map((step) => step.step)).toEqual([
      'revocation',
      'measurement',
      'svn',
      'report-data',
    ]);
  });

  it('is not verified by a chip certificate of another chip of the same root', async () => {
    const second = issueChip(machine.root, { chipId: machine.chip.chipId, now: NOW });
    const collateral = { vcek: second.certificates[0], chain };
    expect(await expectRefused({ ...input(), collateral })).toContain('signature BAD_SIGNATURE');
  });

  it('cannot come from a key that a chip certified', async () => {
    // A chip key is not an authority: a further certificate under it must not verify.
    const rogue = issueChip(
      { ...machine.root, askKey: machine.chip.key },
      { chipId: machine.chip.chipId, now: NOW },
    );
    const evidence = signReport(unsignedReport(fields), rogue);
    for (const rest of [chain, [vcek, machine.root.ark]])
      expect(
        await expectRefused({ ...input(evidence), collateral: { vcek: rogue.certificates[0], chain: rest } }),
      ).toContain('chain BAD_CHAIN');
  });

  it('is refused when the intermediate is not an authority', async () => {
    const [arkPair, askPair] = [p384(), p384()];
    const term = { notBefore: Date.parse(NOW) - 1000, notAfter: Date.parse(NOW) + 1000 };
    const issue = (subject: string, publicKey: KeyObject, isAuthority: boolean): Uint8Array =>
      issueCertificate({
        ...term,
        subject,
        issuer: 'ARK-SIMULATED',
        publicKey,
        issuerKey: arkPair.privateKey,
        isAuthority,
      });
    const ark = issue('ARK-SIMULATED', arkPair.publicKey, true);
    const verdictUnder = async (isAuthority: boolean) => {
      const ask = issue('SEV-SIMULATED', askPair.publicKey, isAuthority);
      const chip = issueChip(
        { ark, ask, askKey: askPair.privateKey },
        { chipId: machine.chip.chipId, now: NOW },
      );
      const policy = { roots: [trustedRootOf(ark)], allowSimulated: true };
      const evidence = signReport(unsignedReport(fields), chip);
      return codes({
        ...input(evidence),
        policy,
        collateral: { vcek: chip.certificates[0], chain: [ask, ark] },
      });
    };
    expect(await verdictUnder(true)).toEqual([]);
    expect(await verdictUnder(false)).toContain('chain BAD_CHAIN');
  });

  it('takes Node buffers, PEM text and one piece of DER, and leaves its input as it was', async () => {
    const evidence = Buffer.from(signed());
    const before = Buffer.from(evidence);
    const pem = (der: Uint8Array): string =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
    const text = (...ders: Uint8Array[]) => new TextEncoder().encode(ders.map(pem).join(''));
    for (const collateral of [
      { vcek, chain },
      { vcek: text(vcek), chain: text(...chain) },
      { vcek: Buffer.from(vcek), chain: Buffer.concat(chain) },
    ])
      expect(await codes({ ...input(evidence), collateral })).toEqual([]);
    expect(evidence).toEqual(before);
  });

  it('survives any bytes as evidence and collateral', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 1300 }),
      fc.nat({ max: vcek.length - 1 }).map((at) => flipped(vcek, at, 0xff)),
      fc.nat({ max: vcek.length }).map((length) => vcek.subarray(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (evidence, leaf, rest) => {
        await expectRefused({ ...input(evidence), collateral: { vcek: leaf, chain: rest } });
      }),
    );
  });

  it('refuses certificates in excess or none', async () => {
    for (const rest of [[], chain.slice(0, 1), [...chain, vcek], [new Uint8Array(0), new Uint8Array(0)]])
      expect(await expectRefused({ ...input(), collateral: { vcek, chain: rest } })).toContain(
        'format BAD_COLLATERAL',
      );
  });

  it('throws for a clock that is none: a fault of the caller', async () => {
    await expect(verifyAttestation({ ...input(), now: 'today' })).rejects.toThrow('not an instant');
  });
});
