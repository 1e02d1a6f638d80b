import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportData } from '../../../domain/enclave/measurement.ts';
import type { Detection } from '../../tee/index.ts';
import type { CliContext } from '../context.ts';
import { addTeePlatforms } from './tee-platforms.ts';
import { addTeeQuote } from './tee-quote.ts';

const NONCE = 'ab'.repeat(32);
const KEY = 'c0'.repeat(32);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aivillage-tee-quote-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A device that gives back what it was asked to bind. */
const detections: readonly Detection[] = [
  {
    format: 'sev-snp',
    found: {
      format: 'sev-snp',
      device: 'configfs-tsm',
      attest: async (data) => ({ evidence: data, auxiliary: Uint8Array.of(1, 2) }),
    },
  },
  { format: 'tdx-dcap', found: null, reason: 'configfs-tsm is of sev_guest' },
];

const run = async (...argv: readonly string[]): Promise<string> => {
  const stdout = new PassThrough();
  const tee = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const context = { stdout } as unknown as CliContext;
  addTeePlatforms(tee, context, async () => detections);
  addTeeQuote(tee, context, async () => detections);
  await tee.parseAsync(argv, { from: 'user' });
  stdout.end();
  return text(stdout);
};

test('tells what this machine has', async () => {
  expect(await run('platforms')).toBe(
    'sev-snp   available  configfs-tsm\ntdx-dcap  absent     configfs-tsm is of sev_guest\n',
  );
  expect(JSON.parse(await run('platforms', '--json'))).toEqual({
    platforms: [
      { format: 'sev-snp', available: true, device: 'configfs-tsm' },
      { format: 'tdx-dcap', available: false, reason: 'configfs-tsm is of sev_guest' },
    ],
  });
});

test('writes evidence over the data, or over nonce and key', async () => {
  const [evidence, certificates] = [join(folder, 'evidence'), join(folder, 'certificates')];
  const to = ['quote', '--format', 'sev-snp', '--evidence', evidence];
  expect(await run(...to, '--certificates', certificates, '--report-data', '12'.repeat(64))).toBe(
    '64 bytes of sev-snp evidence\n',
  );
  expect(readFileSync(evidence).toString('hex')).toBe('12'.repeat(64));
  expect([...readFileSync(certificates)]).toEqual([1, 2]);
  await run(...to, '--nonce', NONCE, '--key', KEY);
  expect(new Uint8Array(readFileSync(evidence))).toEqual(reportData(NONCE, KEY));
});

test('refuses what it cannot do', async () => {
  const to = ['quote', '--format', 'sev-snp', '--evidence', join(folder, 'none')];
  for (const [argv, message] of [
    [to, 'give --report-data, or --nonce and --key'],
    [[...to, '--nonce', NONCE], 'give --report-data, or --nonce and --key'],
    [[...to, '--report-data', '12'], '64 bytes'],
    [[...to, '--report-data', '12'.repeat(64), '--nonce', NONCE], 'not together'],
    [
      ['quote', '--format', 'tdx-dcap', '--evidence', 'x', '--nonce', NONCE, '--key', KEY],
      'no tdx-dcap: configfs-tsm',
    ],
    [['quote', '--format', 'sgx-dcap', '--evidence', 'x', '--nonce', NONCE, '--key', KEY], 'not looked for'],
  ] as const)
    await expect(run(...argv)).rejects.toThrow(message);
});
