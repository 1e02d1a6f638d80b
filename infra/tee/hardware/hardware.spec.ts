import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HOST_MEASUREMENT, reportData } from '../../../domain/enclave/measurement.ts';
import { simulatedIntel } from '../../../test/support/attestation/intel.ts';
import { simulatedQuote } from '../../../test/support/attestation/quote.ts';
import { codesOf } from '../../../test/support/attestation/verdicts.ts';
import { simulatedMachine } from '../../../test/workloads/simulated-machine.ts';
import { MalformedError } from '../../verify/der.ts';
import { verifyAttestation, verifyEvidence } from '../../verify/index.ts';
import { choosePlatform } from '../choose-platform.ts';
import { attestHost } from '../platform.ts';
import { signReport, unsignedReport } from '../simulated/platform.ts';
import { parseCertificateTable } from './certificate-table.ts';
import { type DevicePaths, detectHardware, type HardwareDevice, SYSTEM_DEVICES } from './detect.ts';
import { type DeviceFiles, systemFiles } from './files.ts';

const NOW = '2026-03-01T12:00:00Z';
const NONCE = 'ab'.repeat(32);
const KEY = 'c0'.repeat(32);
const IMAGE = '77'.repeat(48);
const DATA = reportData(NONCE, KEY);
const machine = simulatedMachine(NOW);
const intel = simulatedIntel(NOW);

let tree: string;
let paths: DevicePaths;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'aivillage-devices-'));
  paths = { tsm: join(tree, 'tsm'), gramine: join(tree, 'attestation'), sevGuest: join(tree, 'sev-guest') };
});
afterEach(() => rm(tree, { recursive: true }));

/** A report of a guest whose image measures IMAGE. */
const snpReport = (data: Uint8Array): Uint8Array =>
  signReport(
    unsignedReport({
      measurement: IMAGE,
      reportData: data,
      chipId: machine.chip.chipId,
      versions: machine.chip.versions,
    }),
    machine.chip,
  );
const tdQuote = (data: Uint8Array): Uint8Array =>
  simulatedQuote(intel, 'tdx', { reportData: data, measurement: '11'.repeat(48) });

const KEYS = {
  vcek: '63da758de6644564adc5f4b93be8accd',
  ask: '4ab7b379bbac4fe4a02f05aef327c782',
  ark: 'c0b406a4a803495297433fb6014cd0ae',
} as const;

const certificateTable = (): Uint8Array => {
  const entries = Object.values(KEYS).map((key, index) => [key, machine.chip.certificates[index]] as const);
  let offset = (entries.length + 1) * 24;
  const heads: Buffer[] = [];
  const bodies: Uint8Array[] = [];
  for (const [key, certificate] of entries) {
    const head = Buffer.concat([Buffer.from(key, 'hex'), Buffer.alloc(8)]);
    head.writeUInt32LE(offset, 16);
    head.writeUInt32LE(certificate?.length ?? 0, 20);
    heads.push(head);
    bodies.push(certificate as Uint8Array);
    offset += certificate?.length ?? 0;
  }
  return Buffer.concat([...heads, Buffer.alloc(24), ...bodies]);
};

interface Kernel {
  readonly provider: string;
  readonly report: (data: Uint8Array) => Uint8Array;
  readonly auxiliary?: Uint8Array;
  /** Writes of others between ours and the report. */
  readonly foreignWrites?: number;
}

/** A tree in which new entries are filled and answer to what is written, as the kernel's do. */
const kernelFiles = ({ provider, report, auxiliary, foreignWrites = 0 }: Kernel): DeviceFiles => ({
  ...systemFiles,
  makeEntry: async (path) => {
    await systemFiles.makeEntry(path);
    await writeFile(join(path, 'provider'), `${provider}\n`);
    await writeFile(join(path, 'generation'), '0\n');
    if (auxiliary) await writeFile(join(path, 'auxblob'), auxiliary);
  },
  removeEntry: (path) => rm(path, { recursive: true }),
  write: async (path, bytes) => {
    await systemFiles.write(path, bytes);
    if (basename(path) !== 'inblob') return;
    await writeFile(join(dirname(path), 'outblob'), report(bytes));
    await writeFile(join(dirname(path), 'generation'), `${1 + foreignWrites}\n`);
  },
});

const foundIn = async (files: DeviceFiles): Promise<readonly HardwareDevice[]> =>
  (await detectHardware(files, paths)).flatMap(({ found }) => (found ? [found] : []));

describe('detection', () => {
  it('finds nothing on a machine without devices, and says why', async () => {
    expect(await detectHardware(systemFiles, paths)).toEqual([
      { format: 'sev-snp', found: null, reason: 'no configfs-tsm on this machine' },
      { format: 'tdx-dcap', found: null, reason: 'no configfs-tsm on this machine' },
      { format: 'sgx-dcap', found: null, reason: 'not inside Gramine' },
    ]);
    await writeFile(paths.sevGuest, '');
    const [snp] = await detectHardware(systemFiles, paths);
    expect(snp).toMatchObject({ found: null, reason: expect.stringContaining('older than Linux 6.7') });
  });

  it('tells providers apart, and leaves no entry behind', async () => {
    await mkdir(paths.tsm);
    for (const [provider, format] of [
      ['sev_guest', 'sev-snp'],
      ['tdx_guest', 'tdx-dcap'],
    ] as const) {
      const found = await foundIn(kernelFiles({ provider, report: snpReport }));
      expect(found.map((each) => each.format)).toEqual([format]);
    }
    expect(await foundIn(kernelFiles({ provider: 'other_guest', report: snpReport }))).toEqual([]);
    expect(await readdir(paths.tsm)).toEqual([]);
  });

  it('says what the kernel says when it refuses an entry', async () => {
    await mkdir(paths.tsm);
    const makeEntry = () => Promise.reject(new Error('ENXIO: no provider'));
    const [snp] = await detectHardware({ ...systemFiles, makeEntry }, paths);
    expect(snp).toMatchObject({ found: null, reason: 'configfs-tsm: ENXIO: no provider' });
  });

  it('takes Gramine for SGX only when it attests by DCAP', async () => {
    await mkdir(paths.gramine);
    await writeFile(join(paths.gramine, 'attestation_type'), 'none');
    expect((await detectHardware(systemFiles, paths))[2]).toMatchObject({
      reason: 'Gramine attests by none, not DCAP',
    });
    await writeFile(join(paths.gramine, 'attestation_type'), 'dcap');
    expect(await foundIn(systemFiles)).toMatchObject([{ format: 'sgx-dcap', device: 'gramine' }]);
  });

  it('runs on this machine, whatever it is', async () => {
    expect((await detectHardware(systemFiles, SYSTEM_DEVICES)).map(({ format }) => format)).toEqual([
      'sev-snp',
      'tdx-dcap',
      'sgx-dcap',
    ]);
  });
});

describe('reading', () => {
  beforeEach(() => mkdir(paths.tsm));
  const device = async (kernel: Kernel): Promise<HardwareDevice> => {
    const [found] = await foundIn(kernelFiles(kernel));
    if (!found) throw new Error('nothing found');
    return found;
  };

  it('gets a TDX quote that verifies, bound to what was written', async () => {
    const { evidence } = await (await device({ provider: 'tdx_guest', report: tdQuote })).attest(DATA);
    const verdict = await verifyAttestation({
      format: 'tdx-dcap',
      evidence,
      collateral: intel.collateral('tdx'),
      now: NOW,
      policy: { roots: intel.roots, allowSimulated: true },
      expected: { nonce: NONCE, key: KEY },
    });
    expect(codesOf(verdict)).toEqual([]);
    expect(await readdir(paths.tsm)).toEqual([]);
  });

  it('gets an SGX quote from Gramine', async () => {
    await mkdir(paths.gramine);
    await writeFile(join(paths.gramine, 'attestation_type'), 'dcap');
    const quote = simulatedQuote(intel, 'sgx', { reportData: DATA, measurement: '11'.repeat(32) });
    await writeFile(join(paths.gramine, 'quote'), quote);
    const [found] = await foundIn(systemFiles);
    expect((await found?.attest(DATA))?.evidence).toEqual(quote);
    expect(await systemFiles.read(join(paths.gramine, 'user_report_data'), 64)).toEqual(DATA);
  });

  it('refuses data of another size, a report that another writer may own, and one that is none or too large', async () => {
    const good = { provider: 'tdx_guest', report: tdQuote };
    await expect((await device(good)).attest(new Uint8Array(63))).rejects.toThrow('64 bytes');
    await expect((await device({ ...good, foreignWrites: 1 })).attest(DATA)).rejects.toThrow(
      'another writer',
    );
    await expect((await device({ ...good, report: () => new Uint8Array(0) })).attest(DATA)).rejects.toThrow(
      'gave no report',
    );
    await expect(
      (await device({ ...good, report: () => new Uint8Array(40_000) })).attest(DATA),
    ).rejects.toThrow('more than 32768 bytes');
    expect(await readdir(paths.tsm)).toEqual([]);
  });
});

describe('a certificate table', () => {
  it('gives the certificates by name, and is empty where the host has none', () => {
    const found = parseCertificateTable(certificateTable());
    expect([...found.keys()]).toEqual(['vcek', 'ask', 'ark']);
    expect(Buffer.from(found.get('ask') as Uint8Array)).toEqual(Buffer.from(machine.chip.certificates[1]));
    expect(parseCertificateTable(new Uint8Array(0)).size).toBe(0);
    expect(parseCertificateTable(new Uint8Array(4096)).size).toBe(0);
  });

  it('throws nothing but MalformedError, whatever the bytes', () => {
    const table = certificateTable();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat({ max: table.length }).map((length) => table.subarray(0, length)),
      fc.tuple(fc.nat({ max: 95 }), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
        const copy = new Uint8Array(table);
        copy[at] = (copy[at] ?? 0) ^ mask;
        return copy;
      }),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        try {
          parseCertificateTable(given);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 500 },
    );
    expect(() => parseCertificateTable(new Uint8Array(24 * 40).fill(1))).toThrow(MalformedError);
  });
});

describe('the platform of a node', () => {
  const kernel = { provider: 'sev_guest', report: snpReport, auxiliary: certificateTable() };
  const options = () => ({ certificates: join(tree, 'certificates'), chip: machine.chip });
  const demands = (hostImages: readonly string[]) => ({
    now: NOW,
    policy: { roots: machine.roots.map((root) => ({ ...root, hostImages })), allowSimulated: true },
    expected: { measurement: HOST_MEASUREMENT, nonce: NONCE, key: KEY },
  });
  const evidence = async (files: DeviceFiles) => {
    const { platform } = await choosePlatform(await detectHardware(files, paths), options());
    return attestHost(platform, NONCE, KEY);
  };

  it('is the hardware where it attests; its image vouches for the rest, and must be believed', async () => {
    await mkdir(paths.tsm);
    const report = await evidence(kernelFiles(kernel));
    expect(report.binding).toBe('host');
    expect(codesOf(await verifyEvidence(report, demands([IMAGE])))).toEqual([]);
    expect(codesOf(await verifyEvidence(report, demands([])))).toEqual(['MEASUREMENT_NOT_ALLOWED']);
    expect(codesOf(await verifyEvidence(report, demands(['78'.repeat(48)])))).toEqual([
      'MEASUREMENT_NOT_ALLOWED',
    ]);
    const other = { ...demands([IMAGE]), expected: { measurement: IMAGE, nonce: NONCE, key: KEY } };
    expect(codesOf(await verifyEvidence(report, other))).toEqual(['REPORT_DATA_MISMATCH']);
    // The report cannot be passed off as one that measures the module itself, nor the other way round.
    const { binding: _, ...unbound } = report;
    expect(codesOf(await verifyEvidence(unbound, demands([IMAGE])))).toEqual([
      'MEASUREMENT_MISMATCH',
      'REPORT_DATA_MISMATCH',
    ]);
    const simulated = await evidence(systemFiles);
    expect(simulated.binding).toBeUndefined();
    expect(codesOf(await verifyEvidence(simulated, demands([IMAGE])))).toEqual([]);
    expect(codesOf(await verifyEvidence({ ...simulated, binding: 'host' }, demands([IMAGE])))).toEqual([
      'MEASUREMENT_NOT_ALLOWED',
      'REPORT_DATA_MISMATCH',
    ]);
  });

  it('takes certificates from a folder where the host hands out none, and is simulated without any', async () => {
    await mkdir(paths.tsm);
    const files = kernelFiles({ ...kernel, auxiliary: new Uint8Array(0) });
    const before = await choosePlatform(await detectHardware(files, paths), options());
    expect(before.platform.binding).toBeUndefined();
    expect(before.reason).toMatch(/SEV-SNP does not attest: .*vcek\.der|SEV-SNP does not attest: ENOENT/);
    await mkdir(options().certificates);
    for (const [index, name] of ['vcek', 'ask', 'ark'].entries())
      await writeFile(
        join(options().certificates, `${name}.der`),
        machine.chip.certificates[index] as Uint8Array,
      );
    expect(codesOf(await verifyEvidence(await evidence(files), demands([IMAGE])))).toEqual([]);
  });

  it('is nothing without hardware and chip', async () => {
    const detections = await detectHardware(systemFiles, paths);
    await expect(choosePlatform(detections, { ...options(), chip: null })).rejects.toThrow(
      'no attestation platform, and no simulated chip: no configfs-tsm on this machine',
    );
  });
});
