import { createHash, randomBytes, sign, verify, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EnclaveConfig } from '../../../domain/enclave/events.ts';
import { measurementOf, moduleSha384, reportData } from '../../../domain/enclave/measurement.ts';
import { createAttestationJudge } from '../../../infra/providers/attestation-judge.ts';
import { enclaveLink } from '../../../infra/sandbox/enclave-link.ts';
import { createEnclaveHost } from '../../../infra/sandbox/index.ts';
import { usageOf } from '../../../infra/sandbox/process-usage.ts';
import { detectIsolation, spawnEnclave } from '../../../infra/sandbox/spawn.ts';
import { evidenceOf } from '../../../infra/tee/platform.ts';
import { verifyEvidence } from '../../../infra/verify/index.ts';
import { SNP } from '../../../infra/verify/sev-snp/report.ts';
import { descendants } from '../../workloads/processes.ts';
import { simulatedMachine } from '../../workloads/simulated-machine.ts';
import { type Case, cpuTime, type Timed } from '../harness.ts';

const UNIT = 'CPU ms';
const SAMPLE_MS = 200;
/** Enclaves per measurement: the system counts the time of another process in steps of 10 ms. */
const ENCLAVES = 5;
const START_LIMIT_MS = 30_000;
const CONFIG: EnclaveConfig = { memoryMb: 64, cpuCores: 1, allowDebug: false };
const WORKLOAD = new URL('../../../infra/workloads/word-count.wasm', import.meta.url);

interface Started {
  end(): Promise<void>;
}

/** CPU time per start of this process and of the one it starts. Ending the latter is not counted. */
const cpuOfStarts = async (start: () => Promise<Started>): Promise<Timed> => {
  let [value, wallMs] = [0, 0];
  for (let count = 0; count < ENCLAVES; count++) {
    const known = await descendants(process.pid);
    const [began, before] = [performance.now(), process.cpuUsage()];
    const started = await start();
    wallMs += performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    const [pid] = (await descendants(process.pid)).filter((each) => !known.includes(each));
    value += (user + system) / 1000 + (usageOf(pid as number)?.cpuMs ?? Number.NaN);
    await started.end();
  }
  return { value: value / ENCLAVES, wallMs: wallMs / ENCLAVES };
};

/**
 * An enclave from the order to the accepted report, as node and engine do it, beside the bare sandbox process that says it
 * is there, one signature and a bare verification; and the verification by itself, which goes through WebCrypto, as it has
 * to run in browsers.
 */
export const attestationCases = async (): Promise<{ cases: readonly Case[]; close(): Promise<void> }> => {
  const now = new Date().toISOString();
  const { platform, chip, roots } = simulatedMachine(now);
  const code = new Uint8Array(await readFile(WORKLOAD));
  const codeHash = createHash('sha256').update(code).digest('hex');
  const host = createEnclaveHost({ platform });
  const isolation = detectIsolation();
  const judge = createAttestationJudge({ artifacts: { read: async () => code }, roots, now: () => now });
  let enclaves = 0;

  const attested = async (): Promise<Started> => {
    const enclaveId = `enclave-${enclaves++}`;
    const nonce = randomBytes(32).toString('hex');
    const created = await host.create({ enclaveId, code, codeHash, config: CONFIG });
    if (!created.ok) throw new Error(created.message);
    const { enclaveKey, attest, destroy } = created.value;
    const evidence = await attest(nonce);
    if (!evidence.ok) throw new Error(evidence.message);
    const subject = {
      type: 'enclave',
      providerId: 'provider',
      enclaveId,
      enclaveKey,
      codeHash,
      config: CONFIG,
    } as const;
    const judgement = await judge.judge(subject, nonce, evidence.value, { allowSimulated: true });
    if (!judgement.ok) throw new Error(judgement.message);
    return { end: destroy };
  };

  const [nonce, key] = ['ab'.repeat(32), 'cd'.repeat(32)];
  const measurement = measurementOf(moduleSha384(code), CONFIG);
  const signed = await platform.quote({ measurement, reportData: reportData(nonce, key) });
  /** What no verifier can do without: three signatures of the chain and the report's. */
  const bareVerify = (): void => {
    const [vcek, ask, ark] = chip.certificates.map((der) => new X509Certificate(der)) as [
      X509Certificate,
      X509Certificate,
      X509Certificate,
    ];
    const half = (offset: number) => signed.report.slice(offset, offset + 48).reverse();
    const signature = Buffer.concat([half(SNP.r), half(SNP.s)]);
    const holds =
      ark.verify(ark.publicKey) &&
      ask.verify(ark.publicKey) &&
      vcek.verify(ask.publicKey) &&
      verify(
        'sha384',
        signed.report.subarray(0, SNP.signedSize),
        { key: vcek.publicKey, dsaEncoding: 'ieee-p1363' },
        signature,
      );
    if (!holds) throw new Error('the report does not verify');
  };

  const bare = async (): Promise<Started> => {
    const link = enclaveLink(spawnEnclave(isolation));
    const { wrapper } = isolation;
    const answer = await link.ask(
      { type: 'load', enclaveId: 'bare', code, config: CONFIG, wrapper },
      START_LIMIT_MS,
    );
    if (answer?.type !== 'loaded') throw new Error('the process did not start');
    sign('sha384', signed.report.subarray(0, SNP.signedSize), { key: chip.key, dsaEncoding: 'ieee-p1363' });
    bareVerify();
    return { end: link.close };
  };

  const evidence = evidenceOf(platform, signed);
  const verified = async (): Promise<void> => {
    const expected = { measurement, nonce, key };
    const verdict = await verifyEvidence(evidence, {
      now,
      policy: { roots, allowSimulated: true },
      expected,
    });
    if (!verdict.acceptable) throw new Error(JSON.stringify(verdict.reasons));
  };

  return {
    cases: [
      {
        name: 'enclave-attest',
        unit: UNIT,
        ours: () => cpuOfStarts(attested),
        baseline: () => cpuOfStarts(bare),
      },
      {
        name: 'attestation-verify',
        unit: UNIT,
        ours: () => cpuTime(SAMPLE_MS, verified),
        baseline: () => cpuTime(SAMPLE_MS, bareVerify),
      },
    ],
    close: () => host.close(),
  };
};
