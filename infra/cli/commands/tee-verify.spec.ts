import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_MEASUREMENT, reportData } from '../../../domain/enclave/measurement.ts';
import { keyPair, psaClaims, sign1 } from '../../../test/support/attestation/cose.ts';
import { simulatedIntel } from '../../../test/support/attestation/intel.ts';
import { simulatedQuote } from '../../../test/support/attestation/quote.ts';
import { vectorsOf } from '../../../test/support/vectors.ts';
import { simulatedMachine } from '../../../test/workloads/simulated-machine.ts';
import type { CliContext } from '../context.ts';
import { runCli } from '../program.ts';

const NOW = '2026-03-01T12:00:00Z';
const NONCE = 'ab'.repeat(32);
const KEY = 'c0'.repeat(32);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aivillage-tee-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const saved = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** Runs `tee verify` with these files and no engine within reach. */
const verify = async (...argv: readonly string[]) => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let code = 0;
  const unreachable = (): never => {
    throw new Error('the command must work from files alone');
  };
  await runCli(['tee', 'verify', ...argv], {
    stdin: (async function* () {
      yield new Uint8Array(0);
    })(),
    stdout,
    stderr: stderr as unknown as NodeJS.WriteStream,
    engine: unreachable,
    audit: unreachable,
    recover: unreachable,
    interruptible: unreachable,
    exit: (given) => {
      code = given;
    },
  } as CliContext);
  stdout.end();
  stderr.end();
  return { code, out: await text(stdout), err: await text(stderr) };
};

describe('tee verify', () => {
  it('tells verified and acceptable apart, in words and in JSON, and exits by the latter', async () => {
    const machine = simulatedMachine(NOW);
    const { report, certificates } = await machine.platform.quote({
      measurement: HOST_MEASUREMENT,
      reportData: reportData(NONCE, KEY),
    });
    const [vcek, ask, ark] = certificates as [Uint8Array, Uint8Array, Uint8Array];
    const evidence = ['--format', 'sev-snp', '--evidence', saved('report', report), '--now', NOW];
    const files = [saved('vcek.der', vcek), saved('chain.der', Buffer.concat([ask, ark]))];
    const collateral = files.flatMap((file) => ['--collateral', file]);
    const bundle = ['--collateral', saved('bundle.der', Buffer.concat(certificates))];
    const root = ['--simulated-root', saved('ark.der', ark)];
    const demands = ['--nonce', NONCE, '--key', KEY, '--measurement', HOST_MEASUREMENT];

    const accepted = await verify(...evidence, ...collateral, ...root, ...demands);
    expect(accepted).toMatchObject({ code: 0, err: '' });
    expect(accepted.out).toMatch(/^Evidence sev-snp: verified, acceptable\nPlatform {3}simulated\n/);
    expect((await verify(...evidence, ...bundle, ...root, ...demands)).code).toBe(0);

    const refused = await verify(...evidence, ...collateral, ...root, '--nonce', KEY, '--key', KEY, '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({
      format: 'sev-snp',
      verified: true,
      acceptable: false,
      platform: 'simulated',
    });
    const unknown = await verify(...evidence, ...collateral, ...demands);
    expect(unknown.code).toBe(1);
    expect(unknown.out).toMatch(
      /NOT verified, NOT acceptable\nPlatform {3}unknown\n(.*\n)* {2}refused {2}chain .*UNKNOWN_ROOT/,
    );
  });

  it('reads published collateral, and takes the states and advisories that it is told to accept', async () => {
    const intel = simulatedIntel(NOW);
    const faults = { status: 'SWHardeningNeeded', advisories: ['INTEL-SA-00001'] };
    const quote = simulatedQuote(intel, 'sgx', {
      reportData: new Uint8Array(64),
      measurement: '11'.repeat(32),
    });
    const args = [
      ...['--format', 'sgx-dcap', '--evidence', saved('quote', quote), '--now', NOW],
      ...['--collateral', saved('collateral.json', JSON.stringify(intel.collateral('sgx', faults)))],
      ...['--simulated-root', saved('root.pem', intel.chain.slice(intel.chain.lastIndexOf('-----BEGIN')))],
    ];
    const strict = await verify(...args);
    expect(strict.code).toBe(1);
    expect(strict.out).toContain('TCB        SWHardeningNeeded INTEL-SA-00001\n');
    const lenient = ['--accept-tcb', 'SWHardeningNeeded', '--accept-advisory', 'INTEL-SA-00001'];
    expect((await verify(...args, ...lenient)).code).toBe(0);
    expect((await verify(...args, ...lenient, '--minimum-svn', '2')).out).toContain('SVN_TOO_LOW');
    expect((await verify(...args, ...lenient, '--signer', '12'.repeat(32))).out).toContain(
      'SIGNER_NOT_ALLOWED',
    );
  });

  it('takes a token with the key of its platform', async () => {
    const signer = keyPair();
    const token = saved('token', sign1(psaClaims(Buffer.alloc(64, 1)), signer));
    const args = ['--format', 'psa', '--evidence', token, '--collateral', saved('key.der', signer.spki)];
    expect((await verify(...args, '--nonce', '01'.repeat(64))).code).toBe(0);
    expect((await verify(...args, '--nonce', '02'.repeat(64))).code).toBe(1);
  });

  it('says of bad files what they are not, and of bad options which', async () => {
    const junk = saved('junk', 'junk');
    for (const format of ['sev-snp', 'sgx-dcap', 'tdx-dcap', 'psa', 'cca']) {
      const { code, out } = await verify('--format', format, '--evidence', junk, '--collateral', junk);
      expect(code).toBe(1);
      expect(out).toMatch(/refused {2}format .*MALFORMED/);
    }
    const base = ['--format', 'psa', '--evidence', junk];
    for (const [args, message] of [
      [[...base], '--collateral'],
      [[...base, '--collateral', join(folder, 'absent')], 'no such file'],
      [[...base, '--collateral', junk, '--collateral', junk], 'give one file'],
      [[...base, '--collateral', junk, '--nonce', 'xy'], 'must be hex'],
      [[...base, '--collateral', junk, '--now', 'today'], 'must be an instant'],
      [[...base, '--collateral', junk, '--simulated-root', junk], 'not a certificate'],
      [['--format', 'tpm', '--evidence', junk, '--collateral', junk], 'Allowed choices'],
    ] as const) {
      const { code, err } = await verify(...args);
      expect(err).toContain(message);
      expect(code).toBe(2);
    }
  });

  const vectors = vectorsOf('tee/tdx-dcap');
  it.skipIf(!vectors.present)('accepts the genuine TDX quote as hardware', async () => {
    const args = [
      ...['--format', 'tdx-dcap', '--evidence', saved('tdx', vectors.bytes('tdx_quote'))],
      ...['--collateral', saved('tdx.json', vectors.bytes('tdx_quote_collateral.json'))],
    ];
    const accepted = await verify(...args, '--now', '2025-06-19T11:32:27Z');
    expect(accepted.code).toBe(0);
    expect(accepted.out).toContain('Platform   hardware\n');
    expect((await verify(...args, '--now', '2026-01-01T00:00:00Z')).out).toContain('TCB_INFO_EXPIRED');
  });
});
