import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_MEASUREMENT } from '../../../domain/enclave/measurement.ts';
import { simulatedMachine } from '../../../test/workloads/simulated-machine.ts';
import { fromBase64Url } from '../../verify/bytes.ts';
import { verifyAttestation } from '../../verify/index.ts';
import {
  attestHost,
  chipIdFor,
  issueChip,
  loadChip,
  loadRoot,
  loadTrustedRoot,
  saveChip,
  saveRoot,
  simulatedPlatform,
} from '../index.ts';

const NOW = '2026-03-01T12:00:00Z';
const machine = simulatedMachine(NOW, 'node-1');
const [vcek, ask, ark] = machine.chip.certificates.map((der) => new X509Certificate(der)) as [
  X509Certificate,
  X509Certificate,
  X509Certificate,
];

describe('the simulated root', () => {
  it('issues certificates that OpenSSL follows and that say what they are', () => {
    expect(ark.verify(ark.publicKey) && ark.checkIssued(ark) && ark.ca).toBe(true);
    expect(ask.verify(ark.publicKey) && ask.checkIssued(ark) && ask.ca).toBe(true);
    expect(vcek.verify(ask.publicKey) && vcek.checkIssued(ask)).toBe(true);
    expect(vcek.ca).toBe(false);
    for (const certificate of [ark, ask, vcek]) {
      expect(certificate.subject).toContain('O=SIMULATED PLATFORM - NOT AMD');
      expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('secp384r1');
    }
    expect(vcek.validFromDate.toISOString()).toBe('2026-03-01T11:00:00.000Z');
    expect(ark.validToDate.getUTCFullYear()).toBe(2051);
  });

  it('refuses a chip id of a wrong length', () => {
    expect(() => issueChip(machine.root, { chipId: new Uint8Array(8), now: NOW })).toThrow(RangeError);
    expect(chipIdFor('a')).not.toEqual(chipIdFor('b'));
  });
});

describe('host attestation', () => {
  it('binds nonce and node key under the host measurement', async () => {
    const [nonce, key] = ['ab'.repeat(32), '12'.repeat(32)];
    const evidence = await attestHost(machine.platform, nonce, key);
    const [leaf = '', ...chain] = evidence.certificates;
    const verdict = await verifyAttestation({
      format: 'sev-snp',
      evidence: fromBase64Url(evidence.report),
      collateral: { vcek: fromBase64Url(leaf), chain: chain.map(fromBase64Url) },
      now: NOW,
      policy: { roots: machine.roots, allowSimulated: true },
      expected: { measurement: HOST_MEASUREMENT, nonce, key },
    });
    expect(evidence.platform).toBe('amd_sev_snp');
    expect(verdict).toMatchObject({ verified: true, acceptable: true, platform: 'simulated' });
  });
});

describe('files of the simulated platform', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'aivillage-tee-'));
  });
  afterAll(() => rm(home, { recursive: true }));

  it('keep root and chip, readable by their owner only', async () => {
    const [rootDirectory, chipDirectory] = [join(home, 'root'), join(home, 'chip')];
    await saveRoot(rootDirectory, machine.root);
    await saveChip(chipDirectory, machine.chip);
    for (const directory of [rootDirectory, chipDirectory]) {
      expect((await stat(directory)).mode & 0o777).toBe(0o700);
      for (const name of await readdir(directory))
        expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    }
    expect(await loadTrustedRoot(rootDirectory)).toEqual(machine.roots[0]);
    const chip = await loadChip(chipDirectory);
    expect(chip?.certificates.map((der) => Buffer.from(der))).toEqual(
      machine.chip.certificates.map((der) => Buffer.from(der)),
    );
    const root = await loadRoot(rootDirectory);
    if (!chip || !root) throw new Error('not loaded');
    const later = issueChip(root, { chipId: chipIdFor('node-2'), now: NOW });
    for (const each of [chip, later]) {
      const { report, certificates } = await simulatedPlatform(each).quote({
        measurement: HOST_MEASUREMENT,
        reportData: new Uint8Array(64),
      });
      const [leaf, ...chain] = certificates as [Uint8Array, ...Uint8Array[]];
      const policy = { roots: machine.roots, allowSimulated: true };
      const verdict = await verifyAttestation({
        format: 'sev-snp',
        evidence: report,
        collateral: { vcek: leaf, chain },
        now: NOW,
        policy,
      });
      expect(verdict.acceptable).toBe(true);
    }
  });

  it('are null while they are not there, also half-way', async () => {
    expect(await loadRoot(join(home, 'none'))).toBeNull();
    expect(await loadChip(join(home, 'none'))).toBeNull();
    expect(await loadTrustedRoot(join(home, 'none'))).toBeNull();
    const directory = join(home, 'half');
    await saveRoot(directory, machine.root);
    await rm(join(directory, 'ask.key'));
    expect(await loadRoot(directory)).toBeNull();
  });
});
